import { KannukiError } from '@kannuki/core';

/** REQ-061: a vault beside the disk it locks protects nothing. The error to throw where one is asked for. */
export function onLocalDisk(directory: string): KannukiError {
  const finding = {
    rule: 'REQ-061',
    severity: 'refuse',
    subject: directory,
    message: {
      en: 'the vault lies on a block device of this machine',
      ja: 'キー コンテナーがこのマシンのブロック デバイス上にあります',
    },
    remedy: {
      en: 'use a vault on another machine, or a directory on a network file system',
      ja: '別のマシン上のキー コンテナー、またはネットワーク ファイル システム上のディレクトリを使用してください',
    },
  } as const;
  return new KannukiError('KNK-KVT-0016', { details: { directory }, findings: [finding] });
}
