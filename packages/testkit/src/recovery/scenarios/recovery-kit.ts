import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { run, SecretBytes } from '@kannuki/core';
import { generateKitPassphrase, openGuestVault, VolumeEngine, VolumeRecovery } from '@kannuki/guest';
import { releasePassphrase } from '@kannuki/keyvault';
import { labInput, labResult } from '../../lab/inside.ts';
import { type Answer, kannuki } from '../../lab/scenarios/command-line/kannuki.ts';
import { dataDevice, dataMountPoint, type SmallVm } from '../../power-cut/small-vm.ts';
import { header } from './damage.ts';
import { closeVolume, damagedNow, freshVolume, type Refusal, refusalOf, volume } from './volume.ts';

/** Inside a lab machine: kits are refused and made, and one opens the volume with cryptsetup and nothing else. */
export interface RecoveryKitInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string | null;
}

export interface RecoveryKitResult {
  readonly whileConverting: Refusal | null;
  readonly onItself: Refusal | null;
  readonly overAnotherFile: Refusal | null;
  readonly tooWeak: Refusal | null;
  /** From the real program, the passphrase in a file. */
  readonly made: Answer;
  readonly withoutTerminal: Answer;
  readonly headerIsUntouched: boolean;
  readonly modes: readonly string[];
  readonly text: string;
  readonly leftInMemory: readonly string[];
  /** Exit codes of cryptsetup: 0 opens, 2 no key. */
  readonly exitCodes: { readonly kitPassphrase: number; readonly machinePassphrase: number };
  readonly kdfs: readonly string[];
  readonly damagedFiles: readonly string[];
}

const input = await labInput<RecoveryKitInput>();
const files = await freshVolume(input.vm);
const vault = await openGuestVault(input.vaultUrl);
const vaultOf = (): typeof vault => vault;
const recovery = new VolumeRecovery();
const kit = '/root/data0.kit';
using passphrase = generateKitPassphrase();
writeFileSync('/run/kit-passphrase', passphrase.bytes, { mode: 0o600 });

const whileConverting = await stoppedBeforeTheFirstBlock(() =>
  refusalOf(() => recovery.makeKit(dataMountPoint, kit, passphrase, vaultOf)),
);
await new VolumeEngine().resume(vaultOf);
const [journal] = await new VolumeEngine().journals();
if (journal?.step !== 'finished' || journal.passphrase === null) throw new Error('not encrypted');
const machinePassphrase = await releasePassphrase(vault, journal.passphrase);

const onItself = await refusalOf(() => recovery.makeKit(dataMountPoint, `${dataMountPoint}/kit`, passphrase, vaultOf));
writeFileSync('/root/precious', 'a letter');
const overAnotherFile = await refusalOf(() => recovery.makeKit(dataMountPoint, '/root/precious', passphrase, vaultOf));
using weak = SecretBytes.take(Buffer.from('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'));
const tooWeak = await refusalOf(() => recovery.makeKit(dataMountPoint, kit, weak, vaultOf));

const before = hashOf(header);
const words = ['disk', 'recover', dataMountPoint, '--kit', kit, '--vault', input.vaultUrl, '-o', 'json'];
// The program opens the vault itself, and a vault has one user at a time.
await vault[Symbol.asyncDispose]();
const withoutTerminal = await kannuki(...words);
const made = await kannuki(...words, '--passphrase-file', '/run/kit-passphrase');
const headerIsUntouched = hashOf(header) === before;
await closeVolume();

const every = { accept: [0, 1, 2] };
const open = ['open', `--header=${kit}`, dataDevice];
const withMachine = await run('cryptsetup', [...open, 'x', '--key-file=-'], { input: machinePassphrase, ...every });
// As a person types it: a line on standard input.
using line = SecretBytes.take(Buffer.concat([passphrase.bytes, Buffer.from('\n')]));
const withKit = await run('cryptsetup', [...open, volume], { input: line, ...every });
await run('dmsetup', ['mknodes']);
await run('mount', ['-t', 'ext4', `/dev/mapper/${volume}`, dataMountPoint]);
const dump = await run('cryptsetup', ['luksDump', '--dump-json-metadata', kit]);
const { keyslots } = JSON.parse(dump.stdout) as {
  readonly keyslots: Record<string, { readonly kdf: { type: string } }>;
};

labResult({
  whileConverting,
  onItself,
  overAnotherFile,
  tooWeak,
  made,
  withoutTerminal,
  headerIsUntouched,
  modes: [kit, `${kit}.txt`].map((path) => (existsSync(path) ? (statSync(path).mode & 0o777).toString(8) : 'missing')),
  text: readFileSync(`${kit}.txt`, 'utf8'),
  leftInMemory: readdirSync('/run/kannuki').filter((name) => /^(?:kit|front)-/.test(name)),
  exitCodes: { kitPassphrase: withKit.exitCode, machinePassphrase: withMachine.exitCode },
  kdfs: Object.values(keyslots).map(({ kdf }) => kdf.type),
  damagedFiles: damagedNow(files),
} satisfies RecoveryKitResult);

/** The conversion is begun, and interrupted when the volume is mapped. */
async function stoppedBeforeTheFirstBlock<Result>(action: () => Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const engine = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind === 'step' && event.step === 'mapped') stop.abort();
    },
  });
  const request = { vault, kekId: input.kekId, stopServices: false, signal: stop.signal };
  try {
    await engine.encrypt(dataMountPoint, request);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return await action();
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
