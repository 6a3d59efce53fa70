import { run, SecretBytes } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../packages/testkit/src/lab/inside.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../packages/testkit/src/power-cut/small-vm.ts';

/** Inside a lab machine: the online part by the engine and by bare cryptsetup, in turn, on the same disk. */
export interface OnlinePartInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly rounds: number;
  /** false: stop when the volume is mapped; for the downtime alone. */
  readonly convert: boolean;
}

export interface OnlinePartRound {
  readonly downtimeSeconds: number;
  /** null when nothing was converted. */
  readonly engineSeconds: number | null;
  readonly cryptsetupSeconds: number | null;
}

const input = await labInput<OnlinePartInput>();
await attachPartitions(input.vm, false);
await bootFresh();
const rounds: OnlinePartRound[] = [];
for (let round = 0; round < input.rounds; round++) {
  // Turn and turn about: whoever comes second finds the host's memory for the disk in place.
  const rivalFirst = round % 2 === 0;
  const before = input.convert && rivalFirst ? await bareCryptsetup() : null;
  const ours = await engine();
  const after = input.convert && !rivalFirst ? await bareCryptsetup() : null;
  rounds.push({ cryptsetupSeconds: before ?? after, ...ours });
}
labResult(rounds);

async function bootFresh(): Promise<void> {
  await makeFileSystems('ext4');
  await bootState();
}

/** The rival: the commands that an administrator would type, with the options that the engine takes. */
async function bareCryptsetup(): Promise<number> {
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', dataDevice]);
  using passphrase = SecretBytes.random(48);
  const header = '/var/lib/rival.luks';
  const key = { input: passphrase, timeoutSeconds: 600 };
  await run('rm', ['-f', header]);
  const options = ['--cipher=aes-xts-plain64', '--key-size=512', '--sector-size=4096', '--resilience=journal'];
  const machineSlot = ['--type=luks2', '--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'];
  const common = ['--batch-mode', '--key-file=-', `--header=${header}`];
  await run(
    'cryptsetup',
    ['reencrypt', '--encrypt', '--init-only', ...options, ...machineSlot, ...common, dataDevice],
    key,
  );
  await run('cryptsetup', ['open', ...common, dataDevice, 'rival'], key);
  await run('dmsetup', ['mknodes']);
  await run('mount', ['/dev/mapper/rival', dataMountPoint]);
  const start = performance.now();
  await run(
    'cryptsetup',
    ['reencrypt', '--resume-only', '--resilience=journal', '--active-name=rival', ...common, dataDevice],
    key,
  );
  const seconds = (performance.now() - start) / 1000;
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', 'rival']);
  await run('rm', ['-f', header]);
  return seconds;
}

async function engine(): Promise<Pick<OnlinePartRound, 'downtimeSeconds' | 'engineSeconds'>> {
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', dataDevice]);
  await run('sh', ['-c', ': >/etc/fstab']);
  await enterDataInFstab('ext4');
  await using vault = await openGuestVault(input.vaultUrl);
  const enough = new AbortController();
  const times = new Map<string, number>();
  const worker = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind !== 'step') return;
      times.set(event.step, performance.now());
      if (event.step === 'mapped' && !input.convert) enough.abort();
    },
  });
  try {
    await worker.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false, signal: enough.signal });
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  }
  const [journal] = await worker.journals();
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', journal?.name ?? '']);
  await run('rm', ['-rf', '/var/lib/kannuki', '/etc/kannuki', '/etc/crypttab', '/etc/fstab.azure.backup']);
  const from = times.get('mapped');
  const to = times.get('converted');
  return {
    downtimeSeconds: journal?.downtimeSeconds ?? Number.NaN,
    engineSeconds: from === undefined || to === undefined ? null : (to - from) / 1000,
  };
}
