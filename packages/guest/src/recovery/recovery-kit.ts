import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { type Finding, KannukiError, type Run, SecretBytes, writeFileDurably } from '@kannuki/core';
import { type Luks2Metadata, openKeyslot, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderFile } from '../volumes/header-file.ts';
import { headerPlace } from '../volumes/header-place.ts';
import { isFinished, type Journal } from '../volumes/journal.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import { useOf } from '../volumes/uses/uses.ts';
import { assertStrong } from './kit-passphrase.ts';
import { checkKitPlace } from './kit-place.ts';
import { kitText } from './kit-text.ts';
import { refusal, refuseIfAny } from './refusal.ts';

export interface KitRequest {
  readonly journal: Journal;
  readonly file: string;
  /** What is to open the kit. Stays the caller's. */
  readonly kitPassphrase: SecretBytes;
  /** What opens the volume's header: the one from the vault. Stays the caller's. */
  readonly machinePassphrase: SecretBytes;
  readonly paths: EnginePaths;
  readonly run: Run;
  readonly now: Date;
}

export interface KitReport {
  readonly volume: string;
  readonly kit: string;
  /** How to use it, for people. */
  readonly text: string;
  readonly luksUuid: string;
}

/** More than it costs a rescue system with little memory: cryptsetup itself takes at most half of what the machine has. */
const argonKibibytes = 512 * 1024;
/** statfs(2): TMPFS_MAGIC, RAMFS_MAGIC. */
const inMemory = new Set([0x01021994, 0x858458f6]);

/**
 * Makes a recovery kit: a copy of the header whose only key slot is one of Argon2id for a person's passphrase, and a text beside
 * it (`FILE.txt`). Two files, because what stock tools take is a header and nothing else, and what a person reads without any
 * tool is a text. The live header is only read; all work is done on a copy in memory.
 * @throws KannukiError KNK-VOL-0204 with findings, 0205 when the passphrase is too weak
 */
export async function makeRecoveryKit(request: KitRequest): Promise<KitReport> {
  const { journal, paths, run, kitPassphrase, machinePassphrase, now } = request;
  assertStrong(kitPassphrase);
  const header = headerPlace(journal, paths);
  const { uuid } = readLuks2Header(await readHeaderFile(header)).newest;
  const { path, findings } = await checkKitPlace(request.file, journal.name, uuid, run);
  refuseIfAny('KNK-VOL-0204', useOf(journal).name, [...findings, ...(await conversionFindings(journal, header))]);
  await using folder = await memoryFolder(paths.runtime);
  const copy = join(folder.path, 'kit');
  await copyFile(header, copy);
  await exchangeSlots(copy, journal, { kitPassphrase, machinePassphrase }, run);
  // Another look at the live header: had a conversion begun meanwhile, the kit would be poison.
  refuseIfAny('KNK-VOL-0204', useOf(journal).name, await conversionFindings(journal, header));
  const facts = { file: basename(path), machine: hostname(), madeAt: now, luksUuid: uuid, volume: journal };
  await writeFileDurably(`${path}.txt`, kitText(facts), 0o600);
  await writeFileDurably(path, await readFile(copy), 0o600);
  return { volume: journal.name, kit: path, text: `${path}.txt`, luksUuid: uuid };
}

/** The header of a pending conversion is of use for one moment: opened later it would decrypt the wrong half of the disk. */
async function conversionFindings(journal: Journal, header: string): Promise<readonly Finding[]> {
  const { metadata } = readLuks2Header(await readHeaderFile(header)).newest;
  const { pending } = reencryptionProgress(metadata, journal.device.sizeBytes);
  if (!pending && isFinished(journal)) return [];
  return [
    refusal(
      useOf(journal).name,
      {
        en: 'a conversion is pending: a copy of its header is wrong a moment later, and opening the disk with it destroys data',
        ja: '変換が未完了です。そのヘッダーのコピーはすぐに古くなり、それで開くとデータが破壊されます',
      },
      {
        en: 'wait for its end (`kannuki disk list` shows it), then make the kit',
        ja: '完了を待ってから (`kannuki disk list` で確認) キットを作成してください',
      },
    ),
  ];
}

interface KitSecrets {
  readonly kitPassphrase: SecretBytes;
  readonly machinePassphrase: SecretBytes;
}

/** Adds the person's slot, takes all others away, and proves both. */
async function exchangeSlots(copy: string, journal: Journal, secrets: KitSecrets, run: Run): Promise<void> {
  const { kitPassphrase, machinePassphrase } = secrets;
  const before = slotsOf(await metadataOf(copy));
  const words = ['--batch-mode', '--key-file=-', `--keyfile-size=${machinePassphrase.length}`];
  const kdf = ['--pbkdf=argon2id', `--pbkdf-memory=${argonKibibytes}`];
  // cryptsetup takes the first passphrase from standard input by its length, and the new one from what follows, as a line.
  using both = inOneLine(machinePassphrase, kitPassphrase);
  await run('cryptsetup', ['luksAddKey', ...words, ...kdf, copy], { input: both, timeoutSeconds: 300 });
  for (const slot of before) {
    await run('cryptsetup', ['luksKillSlot', '--batch-mode', copy, String(slot)], { timeoutSeconds: 120 });
  }
  const metadata = await metadataOf(copy);
  const [slot, ...others] = slotsOf(metadata);
  const kept = slot === undefined ? undefined : metadata.keyslots.get(slot);
  const isAsWanted = others.length === 0 && kept?.type === 'luks2' && kept.kdf.type === 'argon2id';
  if (!isAsWanted || opens(await readHeaderFile(copy), machinePassphrase)) {
    throw new Error(`the kit of ${journal.name} has other key slots than it should`);
  }
  // As the person will do it: a line of text, no key file.
  using line = inOneLine(kitPassphrase);
  const open = ['open', '--test-passphrase', `--header=${copy}`, journal.device.path];
  await run('cryptsetup', open, { input: line, timeoutSeconds: 300 });
}

function slotsOf({ keyslots }: Luks2Metadata): readonly number[] {
  return [...keyslots.keys()];
}

async function metadataOf(path: string): Promise<Luks2Metadata> {
  return readLuks2Header(await readHeaderFile(path)).newest.metadata;
}

function opens(header: Uint8Array, passphrase: SecretBytes): boolean {
  try {
    openKeyslot(header, passphrase)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof KannukiError) return false;
    throw error;
  }
}

function inOneLine(...parts: readonly SecretBytes[]): SecretBytes {
  const line = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 1));
  let at = 0;
  for (const { bytes } of parts) {
    line.set(bytes, at);
    at += bytes.length;
  }
  line[at] = 0x0a;
  return SecretBytes.take(line);
}

interface MemoryFolder extends AsyncDisposable {
  readonly path: string;
}

/** The copy has the machine's slot at first, so it lies in memory, and is overwritten at the end. */
async function memoryFolder(runtime: string): Promise<MemoryFolder> {
  const path = join(runtime, `kit-${randomUUID()}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!inMemory.has((await statfs(path)).type)) {
    await rm(path, { recursive: true });
    throw new KannukiError('KNK-VOL-0206', { details: { path: runtime } });
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await wipe(join(path, 'kit'));
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function wipe(path: string): Promise<void> {
  try {
    // In place: a truncation would give the pages back as they are.
    const { size } = await stat(path);
    await writeFile(path, Buffer.alloc(size), { flag: 'r+' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
