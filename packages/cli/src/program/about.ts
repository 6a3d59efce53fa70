import type { Text } from '@kannuki/core';

/** Standing texts of the program's help. */
export const about = {
  /** REQ-003: the purpose statement. */
  purpose: {
    en: 'Kannuki protects your data so that your organisation can meet its security and compliance commitments:\nit encrypts the OS and data disks of Linux VMs with dm-crypt and keeps the keys in a key vault that you control.',
    ja: 'Kannuki は、組織のセキュリティとコンプライアンスの約束を果たせるようにデータを保護します。\nLinux VM の OS ディスクとデータ ディスクを dm-crypt で暗号化し、鍵をお客様が管理するキー コンテナーに保管します。',
  },
  /** REQ-011: what following a recommendation may cost. */
  cost: {
    en: 'Cost: encrypting disks may raise data, network or compute use, and with it licence or subscription cost.',
    ja: '費用: ディスクの暗号化により、データ、ネットワーク、またはコンピューティングの使用量が増え、ライセンスやサブスクリプションの費用が増える場合があります。',
  },
  /** REQ-071: where to go on. */
  next: {
    en: 'Next steps:\n  kannuki support check --help   can this VM be encrypted? (needs no server)\n  kannuki help COMMAND           help and examples for a command',
    ja: '次のステップ:\n  kannuki support check --help   この VM は暗号化できるか (サーバー不要)\n  kannuki help COMMAND           コマンドのヘルプと例',
  },
} as const satisfies Record<string, Text>;
