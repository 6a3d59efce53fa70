import type { CommandGroup } from '../../program/command.ts';

export const diskCommands: CommandGroup = {
  name: 'disk',
  summary: { en: 'encrypt and look after the disks of this VM (root)', ja: 'この VM のディスクの暗号化と管理 (root)' },
  commands: [
    {
      path: 'disk list',
      summary: { en: 'every volume and its true state', ja: 'すべてのボリュームと実際の状態' },
      load: async () => (await import('./list.ts')).command,
    },
    {
      path: 'disk check',
      summary: {
        en: 'what stands in the way of encrypting; changes nothing',
        ja: '暗号化を妨げるものを調べる (変更なし)',
      },
      load: async () => (await import('./check.ts')).command,
    },
    {
      path: 'disk encrypt',
      summary: {
        en: 'encrypt a data volume in place, while it is in use',
        ja: 'データ ボリュームを使用中のまま暗号化する',
      },
      load: async () => (await import('./encrypt.ts')).command,
    },
    {
      path: 'disk rotate',
      summary: {
        en: 'a new passphrase, KEK or volume key, while the volume is in use',
        ja: '使用中のまま、パスフレーズ、KEK、ボリューム キーを新しくする',
      },
      load: async () => (await import('./rotate.ts')).command,
    },
    {
      path: 'disk test-unlock',
      summary: {
        en: 'prove that the next boot would get its keys; changes nothing',
        ja: '次回の起動で鍵が得られることを確かめる (変更なし)',
      },
      load: async () => (await import('./test-unlock.ts')).command,
    },
    {
      path: 'disk unlock',
      summary: {
        en: 'open and mount encrypted volumes by hand',
        ja: '暗号化されたボリュームを手動で開いてマウントする',
      },
      load: async () => (await import('./unlock.ts')).command,
    },
    {
      path: 'disk recover',
      summary: {
        en: 'print how to open a volume with stock tools, without Kannuki',
        ja: 'Kannuki なしで標準ツールだけでボリュームを開く手順を表示する',
      },
      load: async () => (await import('./recover.ts')).command,
    },
  ],
};
