import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { KannukiError, run, type VolumeStatus } from '@kannuki/core';
import { decodeHeaderRecord, openKeyslot, readLuks2Header } from '@kannuki/formats';
import {
  type Journal,
  newCiphers,
  openGuestVault,
  rotatePassphrase,
  rotateVolumeKey,
  VolumeEngine,
} from '@kannuki/guest';
import { releaseBlob, releasePassphrase } from '@kannuki/keyvault';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { opens, wrongsOfKeys } from '../../power-cut/operations/wrongs-of-keys.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult } from '../inside.ts';

/** Inside a lab machine: a new volume key for a volume in use, what is refused before it, and what it shows meanwhile. */
export interface RotationInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
}

export interface RotationResult {
  readonly withSecondSlot: {
    readonly code: string | null;
    readonly rules: readonly string[];
    readonly secondOpens: boolean;
  };
  readonly slotAddedMeanwhile: {
    readonly code: string | null;
    readonly rules: readonly string[];
    readonly addedOpens: boolean;
    readonly step: string;
  };
  readonly largerSectors: { readonly code: string | null; readonly rules: readonly string[] };
  readonly recordsHoldBothKeys: boolean;
  readonly meanwhile: { readonly code: string | null; readonly statuses: readonly VolumeStatus[] };
  readonly afterKeyRotation: {
    readonly encryption: string;
    readonly keyBytes: readonly number[];
    readonly wrongs: readonly string[];
  };
  readonly damaged: readonly string[];
}

const personsSlot = '7';
const input = await labInput<RotationInput>();
await attachPartitions(input.vm, false);
await makeFileSystems('ext4');
// Blocks of 1 KiB: sectors of 4096 bytes do not fit below them.
await run('mkfs.ext4', ['-q', '-F', '-b', '1024', dataDevice]);
await bootState();
await enterDataInFstab('ext4');
const promised: PromisedFile[] = [];
const random = new Random(7);
for (let index = 0; index < 8; index++) {
  promised.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
const vault = await openGuestVault(input.vaultUrl);
await new VolumeEngine().encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
const headerFile = `/var/lib/kannuki/headers/${(await journalNow()).name}.luks`;

const addPersonsSlot = [
  'luksAddKey',
  '-q',
  '--pbkdf=pbkdf2',
  '--pbkdf-force-iterations=1000',
  `--key-slot=${personsSlot}`,
  '--key-file=/run/people/machine',
  headerFile,
  '/run/people/person',
];
const withSecondSlot = await trySecondSlot();
const slotAddedMeanwhile = await tryToAddASlot();
const largerSectors = await refusalOf(() =>
  new VolumeEngine().operate(dataMountPoint, rotateVolumeKey({ sectorSize: 4096 }), () => vault),
);
const keyRotation = await changeVolumeKey();
labResult({
  withSecondSlot,
  slotAddedMeanwhile,
  largerSectors,
  ...keyRotation,
  damaged: damagedFiles(promised),
} satisfies RotationResult);

async function trySecondSlot(): Promise<RotationResult['withSecondSlot']> {
  mkdirSync('/run/people', { recursive: true });
  const { text, secret } = await passphraseNow();
  writeFileSync('/run/people/machine', text, { mode: 0o600 });
  writeFileSync('/run/people/person', 'correct horse battery staple', { mode: 0o600 });
  await run('cryptsetup', addPersonsSlot);
  const refusal = await refusalOf(() => new VolumeEngine().operate(dataMountPoint, rotateVolumeKey(), () => vault));
  await new VolumeEngine().operate(dataMountPoint, rotatePassphrase, () => vault);
  const secondOpens = (await personOpens()) && !opens(readFileSync(headerFile), secret);
  await run('cryptsetup', ['luksKillSlot', '-q', headerFile, personsSlot]);
  return { ...refusal, secondOpens };
}

/** The next header is made and the vault has its keys; only then somebody adds a key to the header in use. */
async function tryToAddASlot(): Promise<RotationResult['slotAddedMeanwhile']> {
  const { text } = await passphraseNow();
  writeFileSync('/run/people/machine', text, { mode: 0o600 });
  const engine = new VolumeEngine({
    // The engine goes on when this returns, so it is done here and now.
    onEvent: (event) => {
      if (event.kind === 'step' && event.step === 'keys-escrowed') execFileSync('cryptsetup', addPersonsSlot);
    },
  });
  const refusal = await refusalOf(() => engine.operate(dataMountPoint, rotateVolumeKey(), () => vault));
  const addedOpens = await personOpens();
  await run('cryptsetup', ['luksKillSlot', '-q', headerFile, personsSlot]);
  const { operation, step } = await journalNow();
  return { ...refusal, addedOpens, step: `${operation} ${step}` };
}

async function personOpens(): Promise<boolean> {
  const test = ['open', '--test-passphrase', '--key-file=/run/people/person', `--key-slot=${personsSlot}`];
  const { exitCode } = await run('cryptsetup', [...test, '--header', headerFile, dataDevice], { accept: [0, 1, 2] });
  return exitCode === 0;
}

/** Stopped once with both keys in the vault, then gone on with to the end; with another cipher. */
async function changeVolumeKey(): Promise<
  Pick<RotationResult, 'recordsHoldBothKeys' | 'meanwhile' | 'afterKeyRotation'>
> {
  const stop = new AbortController();
  const stopping = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind === 'step' && event.step === 'header-installed') stop.abort();
    },
  });
  const cipher = newCiphers['aes-128-xts'];
  const operation = rotateVolumeKey(cipher === undefined ? {} : { cipher });
  await refusalOf(() => stopping.operate(dataMountPoint, operation, () => vault, stop.signal));
  const recordsHoldBothKeys = await comparedRecords();
  const { code } = await refusalOf(() => new VolumeEngine().operate(dataMountPoint, rotatePassphrase, () => vault));
  const statuses: VolumeStatus[] = [];
  const looks: Promise<unknown>[] = [];
  const engine = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind === 'progress') looks.push(look(statuses));
    },
  });
  await look(statuses);
  await engine.operate(dataMountPoint, operation, () => vault);
  await Promise.all(looks);
  const { segments, keyslots } = readLuks2Header(readFileSync(headerFile)).newest.metadata;
  const [segment] = [...segments.values()];
  return {
    recordsHoldBothKeys,
    meanwhile: { code, statuses },
    afterKeyRotation: {
      encryption: segment?.crypt?.encryption ?? '',
      keyBytes: [...keyslots.values()].map((slot) => (slot.type === 'luks2' ? slot.keySize : 0)),
      wrongs: await wrongsOfKeys({ engine, vault }),
    },
  };
}

async function look(statuses: VolumeStatus[]): Promise<void> {
  const volume = (await new VolumeEngine().list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
  if (volume !== undefined) statuses.push(volume);
}

/** Each key slot of the header that is under conversion, beside the two records in the vault. */
async function comparedRecords(): Promise<boolean> {
  const journal = await fullJournal();
  const { passphrase, keyRotation } = journal;
  const records = keyRotation?.records ?? null;
  if (passphrase === null || keyRotation === undefined || records === null) return false;
  using secret = await releasePassphrase(vault, passphrase);
  const header = readFileSync(headerFile);
  const same: boolean[] = [];
  for (const [id, slot] of readLuks2Header(header).newest.metadata.keyslots) {
    if (slot.type !== 'luks2') continue;
    using inHeader = openKeyslot(header, secret, { keyslot: id });
    using blob = await releaseBlob(vault, id === keyRotation.oldSlot ? records.oldKey : records.newKey);
    const { volumeKey } = decodeHeaderRecord(blob);
    if (volumeKey.wrapping === null) return false;
    const algorithm = volumeKey.wrapping.algorithm === 'RSA-OAEP' ? 'RSA-OAEP' : 'RSA-OAEP-256';
    using inVault = await vault.unwrapKey(volumeKey.wrapping.keyId, algorithm, volumeKey.value);
    same.push(inHeader.equals(inVault));
  }
  return same.length === 2 && same.every(Boolean);
}

async function refusalOf(action: () => Promise<unknown>): Promise<{ code: string | null; rules: readonly string[] }> {
  try {
    await action();
    return { code: null, rules: [] };
  } catch (error) {
    if (error instanceof KannukiError) return { code: error.code, rules: error.findings.map(({ rule }) => rule) };
    if (error instanceof Error && error.name === 'AbortError') return { code: 'aborted', rules: [] };
    throw error;
  }
}

async function journalNow(): Promise<Awaited<ReturnType<VolumeEngine['journals']>>[number]> {
  const [journal] = await new VolumeEngine().journals();
  if (journal === undefined) throw new Error('no journal');
  return journal;
}

async function fullJournal(): Promise<Journal> {
  const { name } = await journalNow();
  return JSON.parse(readFileSync(`/var/lib/kannuki/volumes/${name}.json`, 'utf8')) as Journal;
}

/** The passphrase of now. As text only here, where it protects nothing. */
async function passphraseNow() {
  const { passphrase } = await journalNow();
  if (passphrase === null) throw new Error('no passphrase');
  const secret = await releasePassphrase(vault, passphrase);
  return { secret, text: Buffer.from(secret.bytes).toString('latin1') };
}
