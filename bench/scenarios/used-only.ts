import { run, SecretBytes } from '@kannuki/core';
import { type EngineEvent, inPlaceBySpace, openGuestVault, type SpaceChoice, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../packages/testkit/src/lab/inside.ts';
import { fileContent, writePromised } from '../../packages/testkit/src/power-cut/files.ts';
import { Random } from '../../packages/testkit/src/power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../packages/testkit/src/power-cut/small-vm.ts';

/** Inside a lab machine: a large disk, hardly used, by the engine (used space only) and then by bare cryptsetup (all of it). */
export interface UsedOnlyInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly usedMiB: number;
}

export interface UsedOnlyResult {
  /** From the command to the end: escrow, shrink, zeros, conversion. */
  readonly engineSeconds: number;
  readonly cryptsetupSeconds: number;
  readonly downtimeSeconds: number;
  readonly estimatedDowntimeSeconds: number;
  readonly estimatedSeconds: number;
  readonly frontBytes: number;
  /** Where the time went: seconds of each step, in their order. */
  readonly steps: readonly (readonly [string, number])[];
}

const input = await labInput<UsedOnlyInput>();
// The disk of a VM: one that takes zeros as a command.
await run('modprobe', ['virtio_blk']);
await attachPartitions(input.vm, false, '/dev/vda');
await makeFileSystems('ext4');
await bootState();
await enterDataInFstab('ext4');
const random = new Random(1);
const content = fileContent(random, 8 * 1024 * 1024);
for (let index = 0; index < input.usedMiB / 8; index++) {
  await writePromised(`${dataMountPoint}/old`, `f${index}`, content);
}
await run('sync', []);
const ours = await engine();
labResult({ ...ours, cryptsetupSeconds: await bareCryptsetup() } satisfies UsedOnlyResult);

async function engine(): Promise<Omit<UsedOnlyResult, 'cryptsetupSeconds'>> {
  await using vault = await openGuestVault(input.vaultUrl);
  const choices: SpaceChoice[] = [];
  const way = inPlaceBySpace({
    space: 'used',
    maximumDowntimeSeconds: null,
    rest: 'zeros',
    onChoice: (choice) => choices.push(choice),
  });
  const start = performance.now();
  const request = { vault, kekId: input.kekId, stopServices: false };
  const steps: [string, number][] = [];
  let last = start;
  const onEvent = (event: EngineEvent): void => {
    if (event.kind !== 'step') return;
    steps.push([event.step, (performance.now() - last) / 1000]);
    last = performance.now();
  };
  const { name, downtimeSeconds } = await new VolumeEngine({ onEvent }).encrypt(dataMountPoint, request, way);
  const engineSeconds = (performance.now() - start) / 1000;
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', name]);
  const usedOnly = choices[0]?.estimates?.usedOnly;
  return {
    engineSeconds,
    downtimeSeconds: downtimeSeconds ?? Number.NaN,
    estimatedDowntimeSeconds: usedOnly?.downtimeSeconds ?? Number.NaN,
    estimatedSeconds: usedOnly?.seconds ?? Number.NaN,
    frontBytes: usedOnly?.frontBytes ?? Number.NaN,
    steps,
  };
}

/** The rival: the whole disk, from the header to the last block, with the options that the engine takes. */
async function bareCryptsetup(): Promise<number> {
  using passphrase = SecretBytes.random(48);
  const header = '/var/lib/rival.luks';
  const key = { input: passphrase, timeoutSeconds: 3600 };
  const options = ['--cipher=aes-xts-plain64', '--key-size=512', '--sector-size=4096', '--resilience=journal'];
  const slot = ['--type=luks2', '--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000', '--batch-mode', '--key-file=-'];
  const start = performance.now();
  await run('cryptsetup', ['reencrypt', '--encrypt', ...options, ...slot, `--header=${header}`, dataDevice], key);
  return (performance.now() - start) / 1000;
}
