import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-FMT. 01: LUKS2, 02: fstab and crypttab, 03: FAT. */
export const formatsErrors = {
  'KNK-FMT-0101': {
    exit: 'failed',
    http: 422,
    message: { en: 'there is no LUKS2 header here', ja: 'LUKS2 ヘッダーが見つかりません' },
    remedy: {
      en: 'check that this is the header file (or the device) of an encrypted volume',
      ja: '暗号化されたボリュームのヘッダーファイル (またはデバイス) を指定しているか確認してください',
    },
  },
  'KNK-FMT-0102': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'both copies of the LUKS2 header are damaged (first: {primary}; second: {secondary})',
      ja: 'LUKS2 ヘッダーが 2 つとも壊れています (1 つ目: {primary}、2 つ目: {secondary})',
    },
    remedy: {
      en: 'do not write to the disk; rebuild the header from the header record in the vault: kannuki disk recover',
      ja: 'ディスクには何も書き込まず、キーコンテナーのヘッダーレコードからヘッダーを復元してください: kannuki disk recover',
    },
  },
  'KNK-FMT-0103': {
    exit: 'refused',
    http: 409,
    message: {
      en: 'it cannot be told from the LUKS2 header whether the conversion has ended: {seen}',
      ja: 'LUKS2 ヘッダーから変換が完了したかどうかを判断できません: {seen}',
    },
    remedy: {
      en: 'do not resume the conversion: it could encrypt the data twice. Keep a copy of the header and ask for help with it',
      ja: '変換を再開しないでください。データが二重に暗号化されるおそれがあります。ヘッダーのコピーを保存し、それを添えてお問い合わせください',
    },
  },
  'KNK-FMT-0104': {
    exit: 'notPermitted',
    http: 403,
    message: { en: 'no key slot opens with this passphrase', ja: 'このパスフレーズで開けるキースロットがありません' },
    remedy: {
      en: 'check that the passphrase belongs to this volume: compare the volume id in the tags of the vault secret',
      ja: 'パスフレーズがこのボリュームのものか、キーコンテナーのシークレットのタグにあるボリューム ID で確認してください',
    },
  },
  'KNK-FMT-0105': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'this key slot is not supported here: {detail}',
      ja: 'このキースロットはここではサポートされていません: {detail}',
    },
    remedy: { en: 'open the volume with cryptsetup', ja: 'cryptsetup でボリュームを開いてください' },
  },
  'KNK-FMT-0106': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'the header record cannot be read: {detail}',
      ja: 'ヘッダーレコードを読み取れません: {detail}',
    },
    remedy: {
      en: 'take an earlier version of the header record from the vault',
      ja: 'キーコンテナーから以前のバージョンのヘッダーレコードを取得してください',
    },
  },
  'KNK-FMT-0107': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'the header record has {bytes} bytes; a vault secret holds {limit}',
      ja: 'ヘッダーレコードは {bytes} バイトですが、キーコンテナーのシークレットに保存できるのは {limit} バイトまでです',
    },
    remedy: {
      en: 'remove tokens and key slots that are no longer used from the LUKS2 header',
      ja: '使われていないトークンとキースロットを LUKS2 ヘッダーから削除してください',
    },
  },
  'KNK-FMT-0108': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'no header can be made of this metadata: {detail}',
      ja: 'このメタデータからヘッダーを作成できません: {detail}',
    },
    remedy: {
      en: 'do not write to the disk; take another version of the header record from the vault',
      ja: 'ディスクには何も書き込まず、キーコンテナーから別のバージョンのヘッダーレコードを取得してください',
    },
  },
  'KNK-FMT-0120': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'this LUKS2 header cannot be limited to the front of its device: {detail}',
      ja: 'この LUKS2 ヘッダーの変換範囲をデバイスの先頭部分に限定できません: {detail}',
    },
    remedy: {
      en: 'nothing was changed on the disk; encrypt the whole disk with --whole-disk, and tell us the version of cryptsetup',
      ja: 'ディスクは変更されていません。--whole-disk でディスク全体を暗号化し、cryptsetup のバージョンをお知らせください',
    },
  },
  'KNK-FMT-0201': {
    exit: 'failed',
    http: 422,
    message: {
      en: '{file} cannot hold this entry: {detail}',
      ja: '{file} にこのエントリを書き込めません: {detail}',
    },
    remedy: {
      en: 'give every field a value without control characters',
      ja: '各フィールドには、空でなく制御文字を含まない値を指定してください',
    },
  },
  'KNK-FMT-0301': {
    exit: 'failed',
    http: 422,
    message: { en: 'the FAT volume cannot be made: {detail}', ja: 'FAT ボリュームを作成できません: {detail}' },
    remedy: {
      en: 'check the names, the label and the sizes of the files',
      ja: 'ファイルの名前とサイズ、およびラベルを確認してください',
    },
  },
  'KNK-FMT-0401': {
    exit: 'failed',
    http: 422,
    message: {
      en: 'the partition table (GPT) at the beginning of the disk is not whole: {detail}',
      ja: 'ディスク先頭のパーティション テーブル (GPT) が壊れています: {detail}',
    },
    remedy: {
      en: 'have it repaired from the copy at the end of the disk first, e.g. with `sfdisk --dump` and `sfdisk`, or with gdisk',
      ja: '先に、ディスク末尾のコピーから修復してください (例: `sfdisk --dump` と `sfdisk`、または gdisk)',
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
