import { realpathSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import type { StepContext } from './context.ts';
import { headerPlace } from './header-place.ts';
import { assertSameDevice } from './identity.ts';
import type { Journal } from './journal.ts';
import { readPassphrase } from './steps/escrow.ts';
import { useOf } from './uses/uses.ts';

export interface TestUnlockResult {
  readonly volume: string;
  readonly mountPoint: string;
  readonly device: string;
  readonly opens: boolean;
  readonly keySource: Journal['keySource'];
  readonly secretId: string | null;
  /** What stands in the way; null when it opens. */
  readonly error: unknown;
}

/**
 * Fetches each volume's passphrase as the next boot will get it and tries it on the header, without mapping anything.
 * @throws KannukiError KNK-VOL-0007 for a target that is no encrypted volume
 */
export async function testUnlock(
  journals: readonly Journal[],
  targets: readonly string[],
  contextOf: (vaultUri: string) => Promise<StepContext>,
): Promise<readonly TestUnlockResult[]> {
  const chosen = targets.length === 0 ? journals : targets.map((target) => journalOf(journals, target));
  const results: TestUnlockResult[] = [];
  for (const journal of chosen) {
    const result = {
      volume: journal.name,
      mountPoint: useOf(journal).name,
      device: journal.device.path,
      keySource: journal.keySource,
      secretId: journal.passphrase?.secretId ?? null,
    };
    try {
      await tryPassphrase(journal, await contextOf(journal.vaultUri));
      results.push({ ...result, opens: true, error: null });
    } catch (error) {
      results.push({ ...result, opens: false, error });
    }
  }
  return results;
}

/** The volume that a mount point, device or mapper name means. */
export function journalOf(journals: readonly Journal[], target: string): Journal {
  const found = journals.find((journal) => isNamedBy(journal, target));
  if (found === undefined) throw new KannukiError('KNK-VOL-0007', { details: { target } });
  return found;
}

export function isNamedBy(journal: Journal, target: string): boolean {
  const wanted = target.replace(/(?<=.)\/+$/, '');
  const { name, device } = journal;
  if ([name, `/dev/mapper/${name}`, useOf(journal).name, device.path].includes(wanted)) return true;
  // The journal has the name that lasts; people give the one that is short.
  return wanted.startsWith('/dev/') && realPathOf(wanted) === realPathOf(device.path);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}

async function tryPassphrase(journal: Journal, context: StepContext): Promise<void> {
  const header = headerPlace(journal, context.paths);
  await access(header);
  await assertSameDevice(journal, context.run);
  using passphrase = await readPassphrase(journal, context.vault);
  await context.cryptsetup.testPassphrase(header, journal.device.path, passphrase);
}
