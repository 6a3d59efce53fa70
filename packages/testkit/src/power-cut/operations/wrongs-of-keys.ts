import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { openKeyslot, readLuks2Header } from '@kannuki/formats';
import { type EscrowReceipt, releasePassphrase, type VaultPort } from '@kannuki/keyvault';
import type { OperationWorld } from './operation.ts';

const headers = '/var/lib/kannuki/headers';

/** What must hold once a rotation is over, or taken back: one key slot, which the vault's passphrase opens, and nothing left lying. */
export async function wrongsOfKeys({
  engine,
  vault,
}: Pick<OperationWorld, 'engine' | 'vault'>): Promise<readonly string[]> {
  const wrongs: string[] = [];
  const [journal] = await engine.journals();
  if (journal === undefined) return ['no journal'];
  if (journal.step !== 'finished') wrongs.push(`the journal is at ${journal.step} of ${journal.operation}`);
  const header = readFileSync(`${headers}/${journal.name}.luks`);
  const slots = readLuks2Header(header).newest.metadata.keyslots.size;
  if (slots !== 1) wrongs.push(`${slots} key slots`);
  wrongs.push(...(await keysOfBoot(journal.name, journal.passphrase, vault)));
  const left = readdirSync(headers).filter((name) => name !== `${journal.name}.luks`);
  if (left.length > 0) wrongs.push(`left in the folder of headers: ${left.join(', ')}`);
  if (existsSync(`/etc/systemd/system/systemd-cryptsetup@${journal.name}.service.d/50-kannuki.conf`)) {
    wrongs.push('the boot still guards a conversion');
  }
  return wrongs;
}

/** Whether the passphrase that the journal names, and the newest one, which a server puts onto a key volume, open the header. */
export async function keysOfBoot(
  volume: string,
  receipt: EscrowReceipt | null,
  vault: VaultPort,
): Promise<readonly string[]> {
  if (receipt === null) return ['no passphrase on record'];
  const header = readFileSync(`${headers}/${volume}.luks`);
  const newest = await vault.getSecret(receipt.secretId.replace(/\/[^/]+$/, ''));
  newest.value[Symbol.dispose]();
  const kekId = newest.tags.DiskEncryptionKeyEncryptionKeyURL ?? null;
  const wrongs: string[] = [];
  for (const [what, one] of [
    ['of the journal', receipt],
    ['that is the newest in the vault', { ...receipt, secretId: newest.id, kekId }],
  ] as const) {
    using passphrase = await releasePassphrase(vault, one);
    if (!opens(header, passphrase)) wrongs.push(`the passphrase ${what} does not open the header`);
  }
  return wrongs;
}

export function opens(header: Uint8Array, passphrase: SecretBytes): boolean {
  try {
    using _volumeKey = openKeyslot(header, passphrase);
    return true;
  } catch (error) {
    if (error instanceof KannukiError && error.code === 'KNK-FMT-0104') return false;
    throw error;
  }
}
