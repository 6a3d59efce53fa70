import type { CommandGroup } from '../../program/command.ts';

export const vmCommands: CommandGroup = {
  name: 'vm',
  summary: { en: 'VMs of a server', ja: 'サーバーの VM' },
  commands: [
    {
      path: 'vm create',
      summary: { en: 'make a VM and start it', ja: 'VM を作成して起動する' },
      load: async () => (await import('./create.ts')).command,
    },
    {
      path: 'vm list',
      summary: { en: 'list the VMs', ja: 'VM の一覧' },
      load: async () => (await import('./list.ts')).command,
    },
    {
      path: 'vm show',
      summary: { en: 'show a VM', ja: 'VM を表示する' },
      load: async () => (await import('./show.ts')).command,
    },
    {
      path: 'vm start',
      summary: { en: 'start a VM, with its keys', ja: '鍵を渡して VM を起動する' },
      load: async () => (await import('./start.ts')).command,
    },
    {
      path: 'vm stop',
      summary: { en: 'shut a VM down', ja: 'VM をシャットダウンする' },
      load: async () => (await import('./stop.ts')).command,
    },
    {
      path: 'vm restart',
      summary: { en: 'stop a VM and start it again', ja: 'VM を再起動する' },
      load: async () => (await import('./restart.ts')).command,
    },
    {
      path: 'vm delete',
      summary: { en: 'remove a VM with its disks', ja: 'VM をディスクごと削除する' },
      load: async () => (await import('./delete.ts')).command,
    },
    {
      path: 'vm ssh',
      summary: { en: 'a shell or a command in a VM', ja: 'VM でシェルまたはコマンドを実行する' },
      load: async () => (await import('./ssh.ts')).command,
    },
    {
      path: 'vm console',
      summary: { en: 'what the serial console printed', ja: 'シリアル コンソールの出力' },
      load: async () => (await import('./console.ts')).command,
    },
    {
      path: 'vm encryption enable',
      summary: { en: 'encrypt the volumes of a VM', ja: 'VM のボリュームを暗号化する' },
      load: async () => (await import('./encryption-enable.ts')).command,
    },
    {
      path: 'vm encryption show',
      summary: { en: 'how far the encryption is', ja: '暗号化の状態' },
      load: async () => (await import('./encryption-show.ts')).command,
    },
  ],
};
