import { createReadStream, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Run, run, type SecretBytes } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { releasePassphrase } from '@kannuki/keyvault';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult } from '../inside.ts';

/** Inside a lab machine: a whole encryption, and then a search for the passphrase wherever it could have gone. */
export interface SecretsInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
}

export interface SecretsResult {
  readonly programsRun: number;
  readonly inArguments: number;
  readonly inEnvironments: number;
  readonly inEvents: number;
  readonly inErrors: number;
  readonly inStatus: number;
  readonly onDisks: number;
  readonly bytesOfDisksRead: number;
  /** Copies of the passphrase in the memory of the process that did it all, read from outside. */
  readonly inMemory: number;
  /** The same search finds a passphrase that is there on purpose: the search works. */
  readonly planted: number;
}

async function encryptAndSearch(): Promise<void> {
  const input = await labInput<SecretsInput>();
  await attachPartitions(input.vm, false);
  await makeFileSystems('ext4');
  await bootState();
  await enterDataInFstab('ext4');
  const calls: { readonly args: readonly string[]; readonly environment: object }[] = [];
  const recordingRun: Run = (program, args, options = {}) => {
    calls.push({ args: [program, ...args], environment: options.environment ?? {} });
    return run(program, args, options);
  };
  const events: unknown[] = [];
  const errors: unknown[] = [];
  const engine = new VolumeEngine({ run: recordingRun, onEvent: (event) => events.push(event) });
  let status: unknown;
  {
    await using vault = await openGuestVault(input.vaultUrl);
    await engine.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
    status = [await engine.list(), await engine.journals(), await engine.testUnlock(() => vault, [])];
    // Errors on the way of the key: a cryptsetup that fails with the passphrase on its standard input.
    const failing = new VolumeEngine({
      run: (program, args, options) => run(program === 'cryptsetup' ? 'false' : program, args, options),
    });
    errors.push(await failing.testUnlock(() => vault, []));
  }
  const inMemory = await countInMemoryOf();
  const plantedCopy = await withPassphrase(input.vaultUrl, async (passphrase) => {
    const copy = Buffer.from(passphrase.bytes);
    return { copy, onDisks: await countOnDisks(copy) };
  });
  const { copy, onDisks } = plantedCopy;
  const count = (value: unknown): number => occurrences(Buffer.from(inspectAll(value)), copy);
  labResult({
    programsRun: calls.length,
    inArguments: count(calls.map(({ args }) => args)),
    inEnvironments: count([calls.map(({ environment }) => environment), process.env]),
    inEvents: count(events),
    inErrors: count(errors),
    inStatus: count(status),
    onDisks: onDisks.found,
    bytesOfDisksRead: onDisks.read,
    inMemory,
    planted: await countInMemoryOf(),
  } satisfies SecretsResult);
}

/** Errors too, with their causes and stacks. */
function inspectAll(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Error
      ? { text: inner.message, stack: inner.stack, cause: inner.cause, all: Object.entries(inner) }
      : inner,
  );
}

async function withPassphrase<Result>(
  vaultUrl: string,
  action: (passphrase: SecretBytes) => Promise<Result>,
): Promise<Result> {
  await using vault = await openGuestVault(vaultUrl);
  const [journal] = await new VolumeEngine().journals();
  if (journal === undefined || journal.passphrase === null) throw new Error('no volume was encrypted');
  using passphrase = await releasePassphrase(vault, journal.passphrase);
  return await action(passphrase);
}

async function countOnDisks(needle: Buffer): Promise<{ found: number; read: number }> {
  await run('sync', []);
  let found = 0;
  let read = 0;
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream('/dev/ubda', { highWaterMark: 4 * 1024 * 1024 })) {
    const window = Buffer.concat([tail, chunk as Buffer]);
    found += occurrences(window, needle);
    read += (chunk as Buffer).length;
    tail = window.subarray(-(needle.length - 1));
  }
  return { found, read };
}

function occurrences(haystack: Buffer, needle: Buffer): number {
  let count = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) count++;
  return count;
}

/** Another process fetches the passphrase itself and looks into our memory, as a core dump would show it. */
async function countInMemoryOf(): Promise<number> {
  const { stdout } = await run(process.execPath, [process.argv[1] ?? '', 'search-parent', String(process.pid)], {
    timeoutSeconds: 120,
  });
  return Number(stdout.trim().split('\n').at(-1));
}

async function searchParent(): Promise<void> {
  const parent = process.argv[3] ?? '';
  const { vaultUrl } = await labInput<SecretsInput>();
  const found = await withPassphrase(vaultUrl, async (passphrase) => {
    const maps = readFileSync(`/proc/${parent}/maps`, 'utf8');
    const memory = await open(`/proc/${parent}/mem`, 'r');
    const pagemap = await open(`/proc/${parent}/pagemap`, 'r');
    let count = 0;
    try {
      for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
        const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
        count += await occurrencesInRange(memory, pagemap, start, end, Buffer.from(passphrase.bytes));
      }
    } finally {
      await memory.close();
      await pagemap.close();
    }
    return count;
  });
  process.stdout.write(`${found}\n`);
}

const pageBytes = 4096;
const pagemapEntryBytes = 8;
const present = 1n << 63n;

/** Pages of a range that are in memory, proc(5) "pagemap"; to read the others would only bring them there. */
async function presentPages(pagemap: FileHandle, from: number, to: number): Promise<readonly number[]> {
  const pages = (to - from) / pageBytes;
  const entries = Buffer.alloc(pages * pagemapEntryBytes);
  const { bytesRead } = await pagemap.read(entries, 0, entries.length, (from / pageBytes) * pagemapEntryBytes);
  const found: number[] = [];
  for (let index = 0; index < bytesRead / pagemapEntryBytes; index++) {
    if ((entries.readBigUInt64LE(index * pagemapEntryBytes) & present) !== 0n) found.push(from + index * pageBytes);
  }
  return found;
}

/** Reads runs of pages as one, since a passphrase may lie across the edge of two. */
async function occurrencesInRange(
  memory: FileHandle,
  pagemap: FileHandle,
  from: number,
  to: number,
  needle: Buffer,
): Promise<number> {
  let count = 0;
  const pages = await presentPages(pagemap, from, to);
  for (let index = 0; index < pages.length; ) {
    const start = pages[index] ?? 0;
    let end = start;
    while (pages[index] === end) {
      end += pageBytes;
      index++;
    }
    const buffer = Buffer.alloc(end - start);
    const { bytesRead } = await memory.read(buffer, 0, buffer.length, start);
    count += occurrences(buffer.subarray(0, bytesRead), needle);
  }
  return count;
}

if (process.argv[2] === 'search-parent') await searchParent();
else await encryptAndSearch();
