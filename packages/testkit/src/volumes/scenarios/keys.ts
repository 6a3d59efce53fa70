import { existsSync } from 'node:fs';
import { run } from '@kannuki/core';
import type { VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import type { MatrixOperationName } from '../operations.ts';
import type { Stage } from '../result.ts';

/** What opens a volume: the passphrase's version in the vault, the key slots, and the volume key by its digest. */
interface VolumeKeys {
  readonly secretId: string | null;
  readonly slots: string;
  readonly digests: string;
}

type KeysByVolume = ReadonlyMap<string, VolumeKeys>;

interface Metadata {
  readonly keyslots: object;
  readonly digests: Readonly<Record<string, { readonly digest: string }>>;
}

/** Keys of each volume that has a header of ours, by its name. */
export async function keysOf(engine: VolumeEngine): Promise<KeysByVolume> {
  const keys = new Map<string, VolumeKeys>();
  const devices = new Map((await engine.list()).map(({ name, device }) => [name, device]));
  for (const { name, operation, passphrase } of await engine.journals()) {
    if (operation === 'random-key') continue;
    const file = `/var/lib/kannuki/headers/${name}.luks`;
    const header = existsSync(file) ? file : (devices.get(name) ?? file);
    const { stdout } = await run('cryptsetup', ['luksDump', '--dump-json-metadata', header]);
    const { keyslots, digests } = JSON.parse(stdout) as Metadata;
    keys.set(name, {
      secretId: passphrase?.secretId ?? null,
      slots: JSON.stringify(keyslots),
      // Which slots hold the key is in there too.
      digests: Object.values(digests)
        .map(({ digest }) => digest)
        .join(' '),
    });
  }
  return keys;
}

/** Whether the keys are what the operation has to leave: new where it makes new ones, gone with a decryption, and each opens. */
export async function problemsOfKeys(
  name: MatrixOperationName,
  leaves: Stage,
  {
    before,
    engine,
    vault,
  }: { readonly before: KeysByVolume; readonly engine: VolumeEngine; readonly vault: VaultPort },
): Promise<readonly string[]> {
  const after = await keysOf(engine);
  if (leaves.state === 'NotEncrypted' && name === 'decrypt') {
    return [...(await engine.journals())].map((journal) => `${journal.name} still has a journal, at ${journal.step}`);
  }
  const problems: string[] = [];
  for (const [volume, now] of after) {
    const then = before.get(volume);
    if (then === undefined) continue;
    if (name === 'rotate-passphrase') {
      if (then.secretId === now.secretId) problems.push(`${volume} has the same secret as before`);
      if (then.slots === now.slots) problems.push(`${volume} has the same key slots as before`);
      if (then.digests !== now.digests) problems.push(`${volume} has another volume key than before`);
    }
    if (name === 'rotate-volume-key' && then.digests === now.digests) {
      problems.push(`${volume} has the same volume key as before`);
    }
  }
  if (name.startsWith('rotate-') && before.size === 0) problems.push('there was no volume to rotate');
  for (const { volume, opens, error } of await engine.testUnlock(async () => vault, [])) {
    if (!opens) problems.push(`the next boot could not unlock ${volume}: ${String(error)}`);
  }
  return problems;
}
