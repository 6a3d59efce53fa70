import type { CatalogueEntry } from './entry.ts';

/** Errors of running other programs and of using the command line. */
export const commandErrors = {
  'KNK-CMD-0001': {
    exit: 'failed',
    http: 500,
    message: {
      en: '{program} ended with {result}: {detail}',
      ja: '{program} が {result} で終了しました: {detail}',
    },
    remedy: {
      en: 'read the message of {program} above; nothing after this step was done',
      ja: '{program} の上記のメッセージを確認してください。この手順より後は実行されていません',
    },
  },
  'KNK-CMD-0002': {
    exit: 'failed',
    http: 500,
    message: { en: '{program} is not installed', ja: '{program} がインストールされていません' },
    remedy: {
      en: 'install the package that has {program}',
      ja: '{program} を含むパッケージをインストールしてください',
    },
  },
  'KNK-CMD-0003': {
    exit: 'failed',
    http: 500,
    message: {
      en: '{program} did not end within {seconds} s',
      ja: '{program} が {seconds} 秒以内に終了しませんでした',
    },
    remedy: {
      en: 'look at what it waits for (a busy device, a missing service), then run the command again',
      ja: '何を待っているか (使用中のデバイス、停止中のサービス) を確認し、再実行してください',
    },
  },
  'KNK-CMD-0004': {
    exit: 'tryAgain',
    http: 500,
    message: {
      en: '{program} (process {pid}) was asked to end and works on after {seconds} s; it was left running',
      ja: '{program} (プロセス {pid}) は終了を要求されてから {seconds} 秒後も処理を続けているため、実行中のまま残しました',
    },
    remedy: {
      en: 'do not kill it: it is in the middle of a piece of a disk; look whether the disk answers, then run the command again',
      ja: 'ディスク上のデータを処理中のため、強制終了しないでください。ディスクが応答しているか確認し、再実行してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
