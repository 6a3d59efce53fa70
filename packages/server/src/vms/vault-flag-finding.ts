import type { Finding } from '@kannuki/core';

/** REQ-115, in the words of az. */
export function vaultFlagFinding(vault: string): Finding {
  return {
    rule: 'REQ-115',
    severity: 'refuse',
    subject: vault,
    message: {
      en: `Keyvault '${vault}' is not enabled for disk encryption.`,
      ja: `キー コンテナー '${vault}' はディスク暗号化に対して有効になっていません。`,
    },
    remedy: {
      en: 'create the vault with --enabled-for-disk-encryption, or use one that was',
      ja: '--enabled-for-disk-encryption を付けてキー コンテナーを作成するか、有効なものを使用してください',
    },
  };
}
