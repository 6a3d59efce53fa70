import { type Finding, KannukiError, type Text } from '@kannuki/core';
import type { KeyInfo, VaultPort } from '../port.ts';
import { vaultCall } from './vault-call.ts';

const kekBits: readonly number[] = [2048, 3072, 4096];

/**
 * What forbids a key to be the KEK (REQ-068, REQ-129, REQ-136; sizes by REQ-382): all findings, none for a usable key.
 * It must be RSA of 2048, 3072 or 4096 bits in software or an HSM, enabled, and allowed to wrap and to unwrap:
 * a KEK that wraps but may not unwrap would lock the disk for ever.
 */
export function kekFindings(key: KeyInfo): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (message: Text, remedy: Text): void => {
    findings.push({ rule: 'REQ-068', severity: 'refuse', subject: key.id, message, remedy });
  };
  const isRsa = key.kind === 'RSA' || key.kind === 'RSA-HSM';
  if (!isRsa) {
    refuse(
      {
        en: `its type is ${key.kind}; a key encryption key must be RSA`,
        ja: `キーの種類が ${key.kind} です。KEK は RSA である必要があります`,
      },
      {
        en: 'create an RSA key in the vault and name that',
        ja: 'キー コンテナーに RSA キーを作成して指定してください',
      },
    );
  }
  if (isRsa && !kekBits.includes(key.bits)) {
    refuse(
      {
        en: `it has ${key.bits} bits; 2048, 3072 or 4096 are accepted`,
        ja: `キー長が ${key.bits} ビットです。2048、3072、4096 ビットのみ使用できます`,
      },
      { en: 'create an RSA key of 2048 bits or more', ja: '2048 ビット以上の RSA キーを作成してください' },
    );
  }
  if (!key.enabled) {
    refuse(
      { en: 'it is disabled', ja: 'キーが無効化されています' },
      { en: 'enable it, or name another version', ja: 'キーを有効にするか、別のバージョンを指定してください' },
    );
  }
  for (const operation of ['wrapKey', 'unwrapKey']) {
    if (key.operations.includes(operation)) continue;
    refuse(
      { en: `it does not permit ${operation}`, ja: `キーの操作に ${operation} が許可されていません` },
      { en: `add ${operation} to the operations of the key`, ja: `キーの操作に ${operation} を追加してください` },
    );
  }
  return findings;
}

/**
 * Looks the key up and refuses what cannot be a KEK. Writes nothing, so it can run among the checks before any plan.
 * @returns the key, with its versioned id
 * @throws KannukiError KNK-KVT-0005 with the findings; what the vault throws where it cannot tell
 */
export async function requireUsableKek(vault: VaultPort, kekId: string): Promise<KeyInfo> {
  const key = await vaultCall(vault, 'keyInfo', () => vault.keyInfo(kekId));
  const findings = kekFindings(key);
  if (findings.length > 0) throw new KannukiError('KNK-KVT-0005', { details: { key: key.id }, findings });
  return key;
}
