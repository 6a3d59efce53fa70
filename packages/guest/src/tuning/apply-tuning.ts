import { readFile } from 'node:fs/promises';
import { readLuks2Header } from '@kannuki/formats';
import type { StepContext } from '../volumes/context.ts';
import { readHeaderFile } from '../volumes/header-file.ts';
import { headerPlace } from '../volumes/header-place.ts';
import type { Journal } from '../volumes/journal.ts';
import { activeMapping, type Mapping } from '../volumes/mapping.ts';
import { readPassphrase } from '../volumes/steps/escrow.ts';
import type { Tuning } from './tuning.ts';

/** Our two flags as LUKS2 writes them into `config.flags`, and as cryptsetup(8) is told them. */
const readFlag = { stored: 'no-read-workqueue', option: '--perf-no_read_workqueue' };
const writeFlag = { stored: 'no-write-workqueue', option: '--perf-no_write_workqueue' };
/** Flags that are not ours stay: `refresh --persistent` stores what it is told and forgets the rest. */
const otherFlags: Readonly<Record<string, string>> = {
  'allow-discards': '--allow-discards',
  'same-cpu-crypt': '--perf-same_cpu_crypt',
  'submit-from-crypt-cpus': '--perf-submit_from_crypt_cpus',
};

export type TuningOutcome = 'applied' | 'nothing-to-do' | 'not-open' | 'foreign-flags';

/**
 * Makes dm-crypt work as the volume's tuning says, now and after each boot: the flags go into the live mapping and into the LUKS2
 * header, from where cryptsetup and systemd-cryptsetup take them; a header with flags that we do not know is left alone. Call it behind the conversion and before the final header
 * record is escrowed: cryptsetup refuses to store flags while a conversion is under way.
 *
 * A power cut leaves the header with the old flags or the new ones, both whole: cryptsetup writes the two copies one after the
 * other, and no key, segment or block of the volume is touched. May be done again at any time.
 * @throws KannukiError KNK-CMD-0001 when cryptsetup refuses; the volume works on as it did
 */
export async function applyTuning(
  journal: Journal,
  tuning: Tuning,
  context: Pick<StepContext, 'run' | 'paths' | 'vault' | 'cryptsetup'>,
): Promise<TuningOutcome> {
  const mapping = await activeMapping(journal.name);
  if (mapping === undefined) return 'not-open';
  const header = headerPlace(journal, context.paths);
  const stored = readLuks2Header(await readHeaderFile(header)).newest.metadata.config.flags;
  const wanted = refreshOptions(stored, tuning);
  if (wanted === 'foreign-flags') return wanted;
  if (wanted === null && !(await isSuspended(mapping))) return 'nothing-to-do';
  using passphrase = await readPassphrase(journal, context.vault);
  await context.cryptsetup.refresh({
    name: journal.name,
    header,
    device: journal.device.path,
    passphrase,
    options: wanted ?? optionsFor(stored, tuning),
  });
  return 'applied';
}

/** What cryptsetup is to be told; null when the header has it already, `foreign-flags` when it has some that would get lost. */
export function refreshOptions(stored: readonly string[], tuning: Tuning): readonly string[] | null | 'foreign-flags' {
  const known = [readFlag.stored, writeFlag.stored, ...Object.keys(otherFlags)];
  if (stored.some((flag) => !known.includes(flag))) return 'foreign-flags';
  const has =
    stored.includes(readFlag.stored) === tuning.noReadWorkqueue &&
    stored.includes(writeFlag.stored) === tuning.noWriteWorkqueue;
  return has ? null : optionsFor(stored, tuning);
}

function optionsFor(stored: readonly string[], { noReadWorkqueue, noWriteWorkqueue }: Tuning): readonly string[] {
  return [
    ...(noReadWorkqueue ? [readFlag.option] : []),
    ...(noWriteWorkqueue ? [writeFlag.option] : []),
    ...stored.flatMap((flag) => otherFlags[flag] ?? []),
  ];
}

/** A refresh that was killed between "suspend" and "resume" holds up all that use the volume; a second one lets them go on. */
async function isSuspended({ kernelName }: Mapping): Promise<boolean> {
  return (await readFile(`/sys/block/${kernelName}/dm/suspended`, 'utf8')).trim() === '1';
}
