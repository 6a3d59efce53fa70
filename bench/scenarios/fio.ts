import { mkdirSync } from 'node:fs';
import { run, SecretBytes } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labDisks, labInput, labResult } from '../../packages/testkit/src/lab/inside.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
} from '../../packages/testkit/src/power-cut/small-vm.ts';
import { type FioInput, type FioResult, type FioWorkload, fioWorkloads } from './fio-port.ts';

/** Inside a lab machine: fio on a volume that the engine has encrypted, and on a disk of the same size after a plain luksFormat. */
interface FioOutput {
  readonly jobs: readonly {
    readonly read: { readonly bw_bytes: number };
    readonly write: { readonly bw_bytes: number };
  }[];
}

const rivalPoint = '/srv/rival';
const fileMiB = 160;

const input = await labInput<FioInput>();
await attachPartitions(input.vm, false);
await makeFileSystems('ext4');
await bootState();
await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', dataDevice]);
await enterDataInFstab('ext4');
const name = await ours();
await rival();
const speeds = { ours: emptySpeeds(), rival: emptySpeeds() };
const sides = [
  { speeds: speeds.ours, point: dataMountPoint },
  { speeds: speeds.rival, point: rivalPoint },
];
// The first run of fio lays out its file.
for (const { point } of sides) await fio(point, 'write', 0.5);
for (let round = 0; round < input.rounds; round++) {
  for (const workload of fioWorkloads) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      side.speeds[workload].push(await fio(side.point, workload, input.secondsEach));
    }
  }
}
labResult({ ...speeds, tables: { ours: await table(name), rival: await table('rival') } } satisfies FioResult);

async function ours(): Promise<string> {
  await using vault = await openGuestVault(input.vaultUrl);
  const journal = await new VolumeEngine().encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
  return journal.name;
}

/** What an administrator types; only the key derivation is cut short, which has no part in reading and writing. */
async function rival(): Promise<void> {
  const [, disk = ''] = labDisks();
  using passphrase = SecretBytes.random(48);
  const cheapSlot = ['--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'];
  await run('cryptsetup', ['luksFormat', '--batch-mode', ...cheapSlot, '--key-file=-', disk], { input: passphrase });
  await run('cryptsetup', ['open', '--key-file=-', disk, 'rival'], { input: passphrase });
  await run('dmsetup', ['mknodes']);
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', '/dev/mapper/rival']);
  mkdirSync(rivalPoint, { recursive: true });
  await run('mount', ['/dev/mapper/rival', rivalPoint]);
}

function emptySpeeds(): Record<FioWorkload, number[]> {
  return { randread: [], randwrite: [], read: [], write: [] };
}

/** @returns bytes a second */
async function fio(folder: string, workload: FioWorkload, seconds: number): Promise<number> {
  const { stdout } = await run(
    'fio',
    [
      '--name=bench',
      `--filename=${folder}/fio`,
      `--rw=${workload}`,
      `--bs=${workload.startsWith('rand') ? '4k' : '1M'}`,
      `--size=${fileMiB}M`,
      '--ioengine=psync',
      '--direct=1',
      '--thread',
      '--time_based',
      `--runtime=${Math.round(seconds * 1000)}ms`,
      '--output-format=json',
    ],
    { timeoutSeconds: 120 },
  );
  const [job] = (JSON.parse(stdout.slice(stdout.indexOf('{'))) as FioOutput).jobs;
  const speed = workload.endsWith('read') ? job?.read.bw_bytes : job?.write.bw_bytes;
  if (speed === undefined || speed <= 0) throw new Error(`fio did nothing: ${stdout.slice(0, 500)}`);
  return speed;
}

/** `0 327680 crypt aes-xts-plain64 KEY 0 …`: what follows the key. */
async function table(mapper: string): Promise<string> {
  const words = (await run('dmsetup', ['table', mapper])).stdout.trim().split(' ');
  return [words[3], ...words.slice(8)].join(' ');
}
