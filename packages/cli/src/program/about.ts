import type { Text } from '@kannuki/core';
import { costNotice, purpose } from '@kannuki/support/notices';

/** Standing texts of the program's help. */
export const about = {
  /** REQ-003: the purpose statement, and what the program does about it. */
  purpose: {
    en: `${purpose.en}\nIt encrypts the OS and data disks of Linux VMs with dm-crypt and keeps the keys in a key vault that you control.`,
    ja: `${purpose.ja}\nLinux VM の OS ディスクとデータ ディスクを dm-crypt で暗号化し、キーはお客様が管理するキー コンテナーに保管します。`,
  },
  /** REQ-011: what following a recommendation may cost. */
  cost: costNotice,
  /** REQ-071: where to go on. */
  next: {
    en: 'Next steps:\n  kannuki support check --help   can this VM be encrypted? (needs no server)\n  kannuki help COMMAND           help and examples for a command',
    ja: '次のステップ:\n  kannuki support check --help   この VM は暗号化できるか (サーバー不要)\n  kannuki help COMMAND           コマンドのヘルプと例',
  },
} as const satisfies Record<string, Text>;
