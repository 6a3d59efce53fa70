import type { CatalogueEntry } from './entry.ts';

/** Errors of the volume engine, its facts and its checks. */
export const volumesErrors = {
  'KNK-VOL-0001': {
    exit: 'failed',
    http: 500,
    message: { en: 'the journal {path} cannot be read', ja: 'ジャーナル {path} を読み取れません' },
    remedy: {
      en: 'do not change the disk; restore the file from a backup of /var/lib/kannuki, or ask `kannuki disk recover`',
      ja: 'ディスクを変更せず、/var/lib/kannuki のバックアップからこのファイルを復元するか、`kannuki disk recover` を実行してください',
    },
  },
  'KNK-VOL-0002': {
    exit: 'tryAgain',
    http: 409,
    message: {
      en: 'another run of Kannuki works on {what}',
      ja: '別の Kannuki が {what} を処理中です',
    },
    remedy: {
      en: 'wait for it to end; `kannuki disk list` shows its progress',
      ja: '終了を待ってください。進行状況は `kannuki disk list` で確認できます',
    },
  },
  'KNK-VOL-0003': {
    exit: 'failed',
    http: 409,
    message: {
      en: '{point} is in use and cannot be unmounted; it was left as it was',
      ja: '{point} は使用中のためアンマウントできません。元の状態のままです',
    },
    remedy: {
      en: 'stop what uses it (`kannuki disk check {point}` lists it), or add --stop-services',
      ja: '使用しているプロセスを停止するか (`kannuki disk check {point}` で一覧表示)、--stop-services を付けてください',
    },
  },
  'KNK-VOL-0004': {
    exit: 'failed',
    http: 409,
    message: {
      en: '{device} is not the disk of volume {volume}: found {seen}, wanted {wanted}; nothing was written',
      ja: '{device} はボリューム {volume} のディスクではありません: 検出 {seen}、期待 {wanted}。何も書き込んでいません',
    },
    remedy: {
      en: 'attach the right disk, or detach the copy of it, then run the command again',
      ja: '正しいディスクを接続するか、複製を取り外してから再実行してください',
    },
  },
  'KNK-VOL-0005': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the conversion of {volume} ended, but its header does not say so',
      ja: '{volume} の変換は終了しましたが、ヘッダーがそれを示していません',
    },
    remedy: {
      en: 'do not change the header; run `kannuki disk list` and report this',
      ja: 'ヘッダーを変更せず、`kannuki disk list` の結果を添えて報告してください',
    },
  },
  'KNK-VOL-0006': {
    exit: 'refused',
    http: 409,
    message: {
      en: '{target} cannot be encrypted as it is; nothing was changed',
      ja: '{target} は現在の状態では暗号化できません。何も変更していません',
    },
    remedy: {
      en: 'mend each finding of severity refuse, then run the command again',
      ja: '重大度 refuse の各項目を解消してから再実行してください',
    },
  },
  'KNK-VOL-0007': {
    exit: 'notFound',
    http: 404,
    message: { en: 'no encrypted volume at {target}', ja: '{target} に暗号化されたボリュームはありません' },
    remedy: {
      en: '`kannuki disk list` shows the volumes of this machine',
      ja: '`kannuki disk list` でこのマシンのボリュームを確認してください',
    },
  },
  'KNK-VOL-0008': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'the entry of {point} was changed while Kannuki worked: {path}',
      ja: '処理中に {point} のエントリが変更されました: {path}',
    },
    remedy: {
      en: 'put the line back as it was, then run the command again',
      ja: '行を元に戻してから再実行してください',
    },
  },
  'KNK-VOL-0009': {
    exit: 'failed',
    http: 409,
    message: {
      en: '{target} has been begun or encrypted before: volume {volume} has a journal',
      ja: '{target} の暗号化は開始済みか完了済みです: ボリューム {volume} のジャーナルがあります',
    },
    remedy: {
      en: '`kannuki disk list` shows its state; an unfinished one goes on with the agent, or with `kannuki disk encrypt` and the vault that it was begun with',
      ja: '状態は `kannuki disk list` で確認できます。未完了のものは、エージェント、または開始時と同じキー コンテナーを指定した `kannuki disk encrypt` が続行します',
    },
  },
  'KNK-VOL-0010': {
    exit: 'tryAgain',
    http: 409,
    message: {
      en: 'another operation on {target} was begun and is not over: {operation}',
      ja: '{target} では別の操作が完了していません: {operation}',
    },
    remedy: {
      en: 'let it end first: the agent goes on with it by itself; without an agent give its own command again',
      ja: '先にその操作を完了させてください。エージェントが自動で続行します。エージェントがない場合は同じコマンドをもう一度実行してください',
    },
  },
  'KNK-VOL-0100': {
    exit: 'notFound',
    http: 404,
    message: {
      en: '{target} is no mount point and no block device of this machine',
      ja: '{target} は、このマシンのマウント ポイントでもブロック デバイスでもありません',
    },
    remedy: {
      en: '`kannuki disk list` and `lsblk` show what there is; a mount point must be mounted or have a line in /etc/fstab',
      ja: '`kannuki disk list` と `lsblk` で確認してください。マウント ポイントはマウント済みか、/etc/fstab に行が必要です',
    },
  },
  'KNK-VOL-0101': {
    exit: 'failed',
    http: 500,
    message: {
      en: '{program} gave an answer that cannot be read: {detail}',
      ja: '{program} の応答を解釈できません: {detail}',
    },
    remedy: {
      en: 'install the current version of the package of {program}; util-linux 2.33 or later is needed',
      ja: '{program} を含むパッケージを最新の版にしてください。util-linux は 2.33 以降が必要です',
    },
  },
  'KNK-VOL-0102': {
    exit: 'notPermitted',
    http: 403,
    message: {
      en: 'only root may read {path}',
      ja: '{path} を読み取れるのは root だけです',
    },
    remedy: {
      en: 'run the command as root, e.g. with sudo',
      ja: 'root で (sudo などを使って) 実行してください',
    },
  },
  'KNK-VOL-0103': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the file system at {target} ({fileSystem}) lies on no block device, so there is nothing to encrypt below it',
      ja: '{target} のファイル システム ({fileSystem}) はブロック デバイス上にないため、暗号化の対象になりません',
    },
    remedy: {
      en: 'name a volume that `kannuki disk list` shows',
      ja: '`kannuki disk list` に表示されるボリュームを指定してください',
    },
  },
  'KNK-VOL-0301': {
    exit: 'refused',
    http: 409,
    message: {
      en: '{point} holds files, or cannot be looked into, and nobody confirmed that they may go; it was left as it was',
      ja: '{point} にはファイルがあるか、内容を確認できません。消去は確認されていないため、元の状態のままです',
    },
    remedy: {
      en: 'to lose them, name the volume: `kannuki disk encrypt {point} --format --yes`; to keep them, leave --format away',
      ja: '消去してよい場合はボリュームを指定して `kannuki disk encrypt {point} --format --yes` を実行してください。残す場合は --format を外してください',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
