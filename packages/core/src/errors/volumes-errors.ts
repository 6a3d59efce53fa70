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
  'KNK-VOL-0011': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the conversion of {volume} stopped in the middle of a piece; whoever reads or writes that piece waits or gets errors ({pieces})',
      ja: '{volume} の変換が途中で停止しました。該当部分の読み書きは待機状態になるかエラーになります ({pieces})',
    },
    remedy: {
      en: 'reboot the machine: the boot puts the piece right and the conversion goes on; nothing is lost',
      ja: 'マシンを再起動してください。起動時に該当部分が修復され、変換が続行されます。データは失われません',
    },
  },
  'KNK-VOL-0012': {
    exit: 'tryAgain',
    http: 409,
    message: { en: 'the work on {volume} is paused', ja: '{volume} の処理は一時停止中です' },
    remedy: {
      en: '`kannuki disk resume {volume}` lets it go on',
      ja: '`kannuki disk resume {volume}` で再開してください',
    },
  },
  'KNK-VOL-0013': {
    exit: 'refused',
    http: 409,
    message: {
      en: '{target} was not confirmed; nothing was changed',
      ja: '{target} は確認されませんでした。何も変更していません',
    },
    remedy: {
      en: 'answer the question with yes, or give --yes',
      ja: '質問に yes と答えるか、--yes を指定してください',
    },
  },
  'KNK-VOL-0014': {
    exit: 'tryAgain',
    http: 507,
    message: {
      en: 'a disk did not take a write, or did not answer ({call}, {path}): {reason}; what is on record stays as it is',
      ja: 'ディスクへの読み書きに失敗しました ({call}、{path}): {reason}。記録済みの状態はそのまま保たれます',
    },
    remedy: {
      en: 'make room on the disk with /var/lib/kannuki and /etc, or mend it (`dmesg` says what is wrong with it), then run the same command again; after a reboot the agent goes on by itself',
      ja: '/var/lib/kannuki と /etc のあるディスクの空きを増やすか、ディスクを修復し (原因は `dmesg` で確認)、同じコマンドを再実行してください。再起動後はエージェントが自動で続行します',
    },
  },
  'KNK-VOL-0015': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'a disk failed during the conversion of {volume}: {detail}; the piece under work is in its header and is not lost',
      ja: '{volume} の変換中にディスクの障害が発生しました: {detail}。処理中の部分はヘッダーに保存されており、失われません',
    },
    remedy: {
      en: '`dmesg` says which disk failed; mend it (a disk that is dying is copied first, whole, and the copy takes its place), then reboot: the boot puts the piece right and the conversion goes on',
      ja: '障害が発生したディスクを `dmesg` で確認して修復し (故障しかけたディスクは全体を複製して交換)、再起動してください。起動時に該当部分が修復され、変換が続行されます',
    },
  },
  'KNK-VOL-0030': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the keys of {target} cannot be rotated as it is; nothing was changed',
      ja: '{target} の鍵は現在の状態ではローテーションできません。何も変更していません',
    },
    remedy: {
      en: 'mend each finding of severity refuse, then run the command again',
      ja: '重大度 refuse の各項目を解消してから再実行してください',
    },
  },
  'KNK-VOL-0031': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the key slots of {volume} are not as they should be: {detail}',
      ja: '{volume} のキー スロットが想定と異なります: {detail}',
    },
    remedy: {
      en: 'the passphrase that the vault has for the boot goes on opening the volume (`kannuki disk test-unlock` proves it); look at the header with cryptsetup luksDump and report this',
      ja: '起動時に使われるキー コンテナーのパスフレーズは引き続き有効です (`kannuki disk test-unlock` で確認できます)。cryptsetup luksDump でヘッダーを確認し、報告してください',
    },
  },
  'KNK-VOL-0040': {
    exit: 'refused',
    http: 409,
    message: {
      en: '{target} cannot be decrypted as it is; nothing was changed',
      ja: '{target} は現在の状態では復号できません。何も変更していません',
    },
    remedy: {
      en: 'mend each finding of severity refuse, then run the command again',
      ja: '重大度 refuse の各項目を解消してから再実行してください',
    },
  },
  'KNK-VOL-0041': {
    exit: 'tryAgain',
    http: 409,
    message: {
      en: '{point} is plain again, but in use, so that it could not be taken from {mapping}, which only passes everything on now',
      ja: '{point} の復号は完了していますが、使用中のため {mapping} (今はデータを素通しするだけ) から切り離せませんでした',
    },
    remedy: {
      en: 'nothing has to be done: the next boot mounts it without the mapping, and the agent tries again meanwhile; or close what uses it and give the same command again',
      ja: '操作は不要です。次回の起動時にマッピングなしでマウントされ、それまでエージェントも再試行します。使用中のものを閉じて同じコマンドを再実行してもかまいません',
    },
  },
  'KNK-VOL-0050': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'LVM does not see the physical volume of group {group} on {device} but on: {seen}',
      ja: 'LVM がグループ {group} の物理ボリュームを {device} ではなく次の場所で検出しています: {seen}',
    },
    remedy: {
      en: 'look at `pvs -a` and at filter and global_filter in /etc/lvm: /dev/mapper/kn_* must be accepted, the disk below must not',
      ja: '`pvs -a` と /etc/lvm の filter および global_filter を確認してください。/dev/mapper/kn_* を許可し、その下のディスクを除外する必要があります',
    },
  },
  'KNK-VOL-0060': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'e2fsprogs gave an answer that was not expected: {seen}',
      ja: 'e2fsprogs の応答が想定と異なります: {seen}',
    },
    remedy: {
      en: 'encrypt the whole disk with --whole-disk, and report this with the version of e2fsprogs',
      ja: '--whole-disk でディスク全体を暗号化し、e2fsprogs のバージョンを添えて報告してください',
    },
  },
  'KNK-VOL-0061': {
    exit: 'failed',
    http: 409,
    message: {
      en: '{point} has been filled meanwhile, and there is nothing to leave out any more; it was left as it was',
      ja: '{point} の空き領域が減り、除外できる部分がなくなりました。元の状態のままです',
    },
    remedy: {
      en: 'run the command again with --whole-disk',
      ja: '--whole-disk を付けて再実行してください',
    },
  },
  'KNK-VOL-0062': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'the file system at {point} was grown by someone else, to {seen} bytes, before the rest of its disk was overwritten; what was there before may still be readable, and the encryption waits',
      ja: '{point} のファイル システムが、残りの領域を上書きする前に {seen} バイトへ拡大されました。以前の内容が読める可能性があるため、暗号化を中断しています',
    },
    remedy: {
      en: 'unmount it, `e2fsck -f` and `resize2fs DEVICE {kibibytes}K` on its mapping below /dev/mapper, mount it, and run the command again',
      ja: 'アンマウントし、/dev/mapper のマッピングに対して `e2fsck -f` と `resize2fs DEVICE {kibibytes}K` を実行し、マウントしてから再実行してください',
    },
  },
  'KNK-VOL-0063': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the free part of {device} was overwritten with zeros, but does not read back as zeros',
      ja: '{device} の空き領域をゼロで上書きしましたが、ゼロとして読み戻せません',
    },
    remedy: {
      en: 'look for errors of the disk in the kernel log; the command goes on with the encryption when it is given again',
      ja: 'カーネル ログでディスクのエラーを確認してください。同じコマンドを再実行すると暗号化を続行します',
    },
  },
  'KNK-VOL-0064': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'the encryption of {point} had failed and was being taken back when the power went; that is done now',
      ja: '{point} の暗号化は失敗し、取り消し中に停電しました。取り消しを完了します',
    },
    remedy: {
      en: 'run the command again to begin anew',
      ja: '最初からやり直すには、コマンドを再実行してください',
    },
  },
  'KNK-VOL-0070': {
    exit: 'refused',
    http: 409,
    message: {
      en: '{target} cannot be grown as it is',
      ja: '{target} は現在の状態では拡張できません',
    },
    remedy: {
      en: 'mend each finding of severity refuse, then run the command again',
      ja: '重大度 refuse の各項目を解消してから再実行してください',
    },
  },
  'KNK-VOL-0071': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the mapping of {volume} has {seen} bytes after it was resized, and not {wanted}',
      ja: '{volume} のマッピングは、サイズ変更後 {seen} バイトです。期待値は {wanted} バイトです',
    },
    remedy: {
      en: 'nothing is lost; look at `dmesg`, then run the command again, or reboot: the boot opens the volume with its whole size',
      ja: 'データは失われていません。`dmesg` を確認して再実行するか、再起動してください。起動時に全体のサイズで開かれます',
    },
  },
  'KNK-VOL-0072': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the disk of {target} has become larger, from {wanted} to {seen} bytes, and the volume has not been grown yet; nothing was changed',
      ja: '{target} のディスクが {wanted} から {seen} バイトに拡張されましたが、ボリュームはまだ拡張されていません。何も変更していません',
    },
    remedy: {
      en: 'run `kannuki disk grow {target}` first, then this command again',
      ja: '先に `kannuki disk grow {target}` を実行してから、このコマンドを再実行してください',
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
  'KNK-VOL-0201': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'the header of {target} was not rebuilt; nothing was changed',
      ja: '{target} のヘッダーは再構築していません。何も変更していません',
    },
    remedy: { en: 'see the findings', ja: '検出事項を参照してください' },
  },
  'KNK-VOL-0202': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'a rebuilt header does not fit the disk of {volume}: through it {device} shows {seen}, wanted {wanted}; nothing was changed',
      ja: '再構築したヘッダーは {volume} のディスクに合いません: {device} の内容は {seen}、期待 {wanted}。何も変更していません',
    },
    remedy: {
      en: 'check that it is the right disk, and not a copy from another time; do not write to it, and keep header file and vault as they are',
      ja: '正しいディスクであり、別の時点の複製ではないことを確認してください。書き込みは行わず、ヘッダー ファイルとキー コンテナーはそのまま保持してください',
    },
  },
  'KNK-VOL-0203': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'it cannot be proved how far the conversion of {volume} had come (at least {known} bytes): {reason}; nothing was changed',
      ja: '{volume} の変換がどこまで進んでいたかを証明できません (少なくとも {known} バイト): {reason}。何も変更していません',
    },
    remedy: {
      en: 'make a copy of the whole disk and work on that; docs/volumes.md, "Recovery", says what is certain and how to go on',
      ja: 'ディスク全体を複製し、複製に対して作業してください。確実に分かることと進め方は docs/volumes.md の "Recovery" にあります',
    },
  },
  'KNK-VOL-0204': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'no recovery kit of {target} was made',
      ja: '{target} のリカバリー キットは作成していません',
    },
    remedy: { en: 'see the findings', ja: '検出事項を参照してください' },
  },
  'KNK-VOL-0205': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'this passphrase is not fit for a recovery kit: {reason}',
      ja: 'このパスフレーズはリカバリー キットに適しません: {reason}',
    },
    remedy: {
      en: 'give 20 to 512 printable ASCII characters, at least 10 different ones, or none at all: then a strong one is made and shown once',
      ja: '印字可能な ASCII 文字 20 ～ 512 文字 (10 種類以上) を指定するか、指定を省略してください。省略すると強力なものを生成し、一度だけ表示します',
    },
  },
  'KNK-VOL-0206': {
    exit: 'failed',
    http: 409,
    message: {
      en: '{path} does not lie in memory, so no copy of a header may be made there',
      ja: '{path} はメモリ上にないため、ヘッダーのコピーを作成できません',
    },
    remedy: { en: 'mount a tmpfs at /run', ja: '/run に tmpfs をマウントしてください' },
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
