import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { decryption, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  leaveData,
  makeFileSystems,
  mountedDataDevice,
  mountFromFstab,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { Writer } from '../../power-cut/writer.ts';
import { labInput, labResult } from '../inside.ts';

/** Inside a lab machine: a volume is encrypted and decrypted twice; in between all that is refused. */
export interface DecryptInput {
  readonly vm: SmallVm;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly kekId: string;
}

/** What a refusal said, and whether header, journal and fstab are as before it. */
export interface Refusal {
  readonly code: string | null;
  readonly rules: readonly string[];
  readonly changedNothing: boolean;
}

/** What is there behind a decryption. */
export interface PlainAgain {
  readonly state: string | null;
  readonly device: string | undefined;
  readonly fstabIsBack: boolean;
  readonly crypttabLines: number;
  readonly units: readonly string[];
  readonly headers: readonly string[];
  readonly journals: number;
  readonly damaged: readonly string[];
  /** Codes of the errors with which the vault refuses the passphrase and the header record. */
  readonly secrets: readonly (string | null)[];
}

export interface DecryptResult {
  readonly openFile: Refusal;
  readonly changedFstab: Refusal;
  readonly closed: Refusal;
  /** `STATE PERCENT` as `disk list` has it at each report of progress. */
  readonly seen: readonly string[];
  readonly downtimeSeconds: number | null;
  readonly promised: number;
  readonly plain: PlainAgain;
  readonly secondDecrypt: Refusal;
  readonly encryptedAgain: string | null;
  readonly busy: Refusal & { readonly state: string | null; readonly device: string | undefined };
  readonly fstabIsBackWhileBusy: boolean;
  readonly afterReboot: PlainAgain;
}

const input = await labInput<DecryptInput>();
const headers = '/var/lib/kannuki/headers';
const journal = '/var/lib/kannuki/volumes/kn_srv_data0.json';
const promised: PromisedFile[] = [];

await attachPartitions(input.vm, false);
await makeFileSystems(input.fileSystem);
await bootState();
// No newline at its end, odd blanks, bytes that are no UTF-8: all of it has to be there again.
writeFileSync('/etc/fstab', Buffer.from('#\t f\xfcr alle \n', 'latin1'), { flag: 'a' });
await enterDataInFstab(input.fileSystem);
appendFileSync('/etc/fstab', '# the end');
const fstab = readFileSync('/etc/fstab');
const random = new Random(7);
for (let index = 0; index < 24; index++) {
  promised.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
const vault = await openGuestVault(input.vaultUrl);
const request = { vault, kekId: input.kekId, stopServices: false };
await new VolumeEngine().encrypt(dataMountPoint, request);

const openFile = await withOpenFile(() => refusalOf(new VolumeEngine()));
const changedFstab = await withChangedFstab(() => refusalOf(new VolumeEngine()));
await leaveData();
const closed = await refusalOf(new VolumeEngine());
await new VolumeEngine().unlock(() => vault);

const writer = new Writer(`${dataMountPoint}/new`, async (file) => {
  promised.push(file);
});
const writing = writer.run(new Random(8));
const seen: string[] = [];
let look: Promise<void> | undefined;
const engine = new VolumeEngine({
  beforeUnmount: () => writer.pause(),
  onEvent: (event) => {
    if (event.kind === 'mounted' || (event.kind === 'step' && event.step === 'planned')) writer.goOn();
    // One look at a time: two that overlap could come out of order.
    if (event.kind === 'progress') look ??= lookOnce();
  },
});
await writer.pause();
const { downtimeSeconds, passphrase } = await decrypt(engine);
writer.stop();
await Promise.all([writing, look]);
const plain = await plainAgain(passphrase?.secretId ?? '');
const secondDecrypt = await refusalOf(new VolumeEngine());

await new VolumeEngine().encrypt(dataMountPoint, request);
const encryptedAgain = (await find())?.state ?? null;

// A program opens a file in the last moment and keeps it.
let held: number | undefined;
const busyEngine = new VolumeEngine({
  beforeUnmount: async () => {
    held ??= openSync(`${dataMountPoint}/old/f0`, 'r');
  },
});
const [journalOfBusy] = await new VolumeEngine().journals();
const busy = { ...(await refusalOf(busyEngine)), state: (await find())?.state ?? null, device: mountedDataDevice() };
const fstabIsBackWhileBusy = readFileSync('/etc/fstab').equals(fstab);
// The reboot: mappings are gone, the boot mounts what fstab names.
if (held !== undefined) closeSync(held);
await run('umount', [dataMountPoint]);
await mountFromFstab();
const problems = await new VolumeEngine().resume(() => vault);
for (const { error } of problems) throw error;
const afterReboot = await plainAgain(journalOfBusy?.passphrase?.secretId ?? '');

labResult({
  openFile,
  changedFstab,
  closed,
  seen,
  downtimeSeconds,
  promised: promised.length,
  plain,
  secondDecrypt,
  encryptedAgain,
  busy,
  fstabIsBackWhileBusy,
  afterReboot,
} satisfies DecryptResult);

function decrypt(by: VolumeEngine): ReturnType<VolumeEngine['operate']> {
  return by.operate(dataMountPoint, decryption({ stopServices: false }), () => vault);
}

async function find() {
  return (await new VolumeEngine().list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
}

async function lookOnce(): Promise<void> {
  const volume = await find();
  seen.push(`${volume?.state} ${volume?.percent}`);
  look = undefined;
}

async function refusalOf(by: VolumeEngine): Promise<Refusal> {
  const before = stateOfFiles();
  const error: unknown = await decrypt(by).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof KannukiError)) throw error;
  return {
    code: error?.code ?? null,
    rules: (error?.findings ?? []).filter(({ severity }) => severity === 'refuse').map(({ rule }) => rule),
    changedNothing: stateOfFiles() === before,
  };
}

function stateOfFiles(): string {
  const contents = [journal, '/etc/fstab', '/etc/crypttab', `${headers}/kn_srv_data0.luks`].map((path) => {
    try {
      return readFileSync(path, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  });
  return contents.join('\0');
}

async function withOpenFile<Result>(action: () => Promise<Result>): Promise<Result> {
  const holder = spawn('sh', ['-c', `exec 3<${dataMountPoint}/old/f0; echo open; exec sleep 600`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  try {
    return await action();
  } finally {
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
  }
}

async function withChangedFstab<Result>(action: () => Promise<Result>): Promise<Result> {
  const before = readFileSync('/etc/fstab', 'latin1');
  writeFileSync('/etc/fstab', before.replace('# moved to', '# has moved to'), 'latin1');
  try {
    return await action();
  } finally {
    writeFileSync('/etc/fstab', before, 'latin1');
  }
}

async function plainAgain(secretId: string): Promise<PlainAgain> {
  const lines = readFileSync('/etc/crypttab', 'utf8').split('\n');
  const header = secretId.replace(/\/[0-9a-f]+$/, '-header');
  return {
    state: (await find())?.state ?? null,
    device: mountedDataDevice(),
    fstabIsBack: readFileSync('/etc/fstab').equals(fstab),
    crypttabLines: lines.filter((line) => line.startsWith('kn_')).length,
    units: readdirSync('/etc/systemd/system', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /srv-data0\.mount$|kn_srv_data0.*\.conf$/.test(name),
    ),
    headers: readdirSync(headers),
    journals: (await new VolumeEngine().journals()).length,
    damaged: damagedFiles(promised),
    secrets: await Promise.all([secretId, header].map(codeOfSecret)),
  };
}

async function codeOfSecret(id: string): Promise<string | null> {
  try {
    const { value } = await vault.getSecret(id);
    value[Symbol.dispose]();
    return null;
  } catch (error) {
    if (error instanceof KannukiError) return error.code;
    throw error;
  }
}
