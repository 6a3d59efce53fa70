import type { Text } from '@kannuki/core';

/** REQ-001: shown with every image of this publisher; never an error by itself. */
export const centosNotice = {
  publisher: 'OpenLogic',
  link: 'https://learn.microsoft.com/azure/virtual-machines/workloads/centos/centos-end-of-life',
  message: {
    en: 'CentOS is at or near its end of life: plan accordingly',
    ja: 'CentOS はサポートが終了したか、間もなく終了します。それに応じて計画してください',
  },
  remedy: {
    en: 'read the CentOS end-of-life guidance: https://learn.microsoft.com/azure/virtual-machines/workloads/centos/centos-end-of-life',
    ja: 'CentOS のサポート終了に関するガイダンスを参照してください: https://learn.microsoft.com/azure/virtual-machines/workloads/centos/centos-end-of-life',
  },
} as const satisfies { publisher: string; link: string; message: Text; remedy: Text };

/** REQ-003: what all of this is for. */
export const purpose = {
  en: 'Kannuki protects your data so that your organisation can meet its security and compliance commitments.',
  ja: 'Kannuki は、組織がセキュリティとコンプライアンスのコミットメントを満たせるように、データを保護します。',
} as const satisfies Text;

/** REQ-011: goes with enabling, with recommendations and with alerts. */
export const costNotice = {
  en: 'Cost: following a recommendation may raise data, network or compute use, and with it licence or subscription cost.',
  ja: '費用: 推奨事項に従うと、データ、ネットワーク、またはコンピューティングの使用量が増え、ライセンスやサブスクリプションの費用が増える場合があります。',
} as const satisfies Text;

/** REQ-017: where the rules for sizes without a local temporary disk are. */
export const noTemporaryDiskLink = 'https://learn.microsoft.com/azure/virtual-machines/azure-vms-no-temp-disk';
