import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { KannukiError, type Run } from '@kannuki/core';
import { activeMappings, type Mapping } from '../volumes/mapping.ts';
import type { Tuning } from './tuning.ts';
import { MeasuredDevice } from './workloads.ts';

/**
 * Where tunings are measured: dm-crypt on dm-zero, which gives zeros and swallows what is written. No disk is touched and no
 * memory is taken. A device of 64 GiB, so that no place has to be read twice.
 */
const sizeBytes = 64 * 1024 ** 3;
const uuidPrefix = 'KANNUKI-MEASURE-';
const zeroName = 'kannuki-measure-zero';
const limit = { timeoutSeconds: 20 };
/** The kernel takes a mapping away in a work item of its own, within milliseconds. */
const goneMilliseconds = 10;
const goneLooks = 100;

/**
 * Mappings of the given tunings, ready to be measured. Each is told to vanish with its last user as soon as it is open, so
 * that a measurement that is killed leaves none; what was killed before that is taken away by the next stand.
 */
export class Stand implements AsyncDisposable {
  readonly devices: readonly MeasuredDevice[];
  readonly #run: Run;

  private constructor(run: Run, devices: readonly MeasuredDevice[]) {
    this.#run = run;
    this.devices = devices;
  }

  static async raise(run: Run, tunings: readonly Tuning[]): Promise<Stand> {
    await clearStand(run);
    const devices: MeasuredDevice[] = [];
    const stand = new Stand(run, devices);
    const crypts = tunings.map((tuning, index) => ({ name: `kannuki-measure-${index}`, tuning }));
    try {
      const below = (await create(run, [{ name: zeroName, table: `0 ${sizeBytes / 512} zero` }]))[0] ?? '';
      const number = (await readFile(`/sys/block/${below}/dev`, 'utf8')).trim();
      const tables = crypts.map(({ name, tuning }) => ({ name, table: cryptTable(tuning, number) }));
      for (const kernelName of await create(run, tables)) {
        devices.push(await MeasuredDevice.open(`/dev/${kernelName}`, sizeBytes));
      }
      await run('dmsetup', ['remove', '--deferred', ...crypts.map(({ name }) => name), zeroName], limit);
      return stand;
    } catch (error) {
      await stand[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.devices) await device[Symbol.asyncDispose]();
    await clearStand(this.#run);
  }
}

/**
 * Takes away what a stand has left, and waits until the kernel has done so. What another process is still measuring stays, and
 * goes when that process ends.
 */
export async function clearStand(run: Run): Promise<void> {
  // What lies above goes first.
  for (const { name } of (await standMappings()).toSorted((one, other) => other.below.length - one.below.length)) {
    try {
      await run('dmsetup', ['remove', '--deferred', name], limit);
    } catch (error) {
      // The last user has let go between the look and the call, and the kernel was faster.
      if ((await standMappings()).some((mapping) => mapping.name === name)) throw error;
    }
  }
  for (let look = 0; look < goneLooks && (await standMappings()).length > 0; look++) await setTimeout(goneMilliseconds);
}

async function standMappings(): Promise<readonly Mapping[]> {
  return (await activeMappings()).filter(({ uuid }) => uuid.startsWith(uuidPrefix));
}

/** A random key, used for seconds on nothing; by standard input all the same, as every key. */
function cryptTable({ cipher, keyBits, ...tuning }: Tuning, below: string): string {
  const options = [
    ...(tuning.noReadWorkqueue ? ['no_read_workqueue'] : []),
    ...(tuning.noWriteWorkqueue ? ['no_write_workqueue'] : []),
    ...(tuning.sectorSize === 512 ? [] : [`sector_size:${tuning.sectorSize}`]),
  ];
  const key = randomBytes(keyBits / 8).toString('hex');
  return ['0', sizeBytes / 512, 'crypt', cipher, key, '0', below, '0', options.length, ...options].join(' ');
}

/**
 * Makes mappings by one call; the nodes below /dev/mapper are udev's business, numbers and names of the kernel are there at once.
 * @returns the kernel's names, dm-N, in the order of the tables
 */
async function create(
  run: Run,
  mappings: readonly { readonly name: string; readonly table: string }[],
): Promise<readonly string[]> {
  // dmsetup(8), "concise format": NAME,UUID,MINOR,FLAGS,TABLE;…
  const list = mappings
    .map(({ name, table }) => `${name},${uuidPrefix}${name},,rw,${table.replaceAll(',', String.raw`\,`)}`)
    .join(';');
  await run('dmsetup', ['create', '--concise'], { ...limit, input: `${list}\n` });
  const active = await standMappings();
  return mappings.map(({ name }) => {
    const made = active.find((mapping) => mapping.name === name);
    if (made !== undefined) return made.kernelName;
    throw new KannukiError('KNK-VOL-0101', { details: { program: 'dmsetup', detail: `no mapping ${name}` } });
  });
}
