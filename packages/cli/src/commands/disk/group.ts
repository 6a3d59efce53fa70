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
      path: 'disk pause',
      summary: { en: 'let the work on volumes rest', ja: 'ボリュームの処理を休止する' },
      load: async () => (await import('./pause.ts')).command,
    },
    {
      path: 'disk resume',
      summary: { en: 'let paused work go on', ja: '休止した処理を再開する' },
      load: async () => (await import('./resume.ts')).command,
    },
    {
      path: 'disk pace',
      summary: { en: 'say how fast volumes may be converted', ja: 'ボリュームの変換速度の上限を設定する' },
      load: async () => (await import('./pace.ts')).command,
    },
    {
      path: 'disk decrypt',
      summary: {
        en: 'make an encrypted volume plain again, while it is in use',
        ja: '暗号化されたボリュームを使用中のまま元に戻す',
      },
      load: async () => (await import('./decrypt.ts')).command,
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
      path: 'disk grow',
      summary: {
        en: 'give a volume the room that its disk has got, while it is in use',
        ja: '拡張されたディスクに合わせて、使用中のままボリュームを拡張する',
      },
      load: async () => (await import('./grow.ts')).command,
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
        en: 'how to open a volume with stock tools; rebuild its header; write a recovery kit',
        ja: '標準ツールで開く手順の表示、ヘッダーの再構築、リカバリー キットの作成',
      },
      load: async () => (await import('./recover.ts')).command,
    },
  ],
};
