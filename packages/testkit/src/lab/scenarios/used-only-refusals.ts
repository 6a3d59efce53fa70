import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { inPlaceBySpace, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
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

interface Failed {
  readonly code: string;
  readonly differences: readonly string[];
  readonly fileSystemBytes: number;
  readonly isMountedPlain: boolean;
  readonly isClean: boolean;
}

/** Inside a lab machine: used space only where it cannot be, and where it fails half-way. */
export interface UsedOnlyRefusals {
  /** It no longer fits when it is unmounted. */
  readonly filled: Failed;
  /** resize2fs fails half-way. */
  readonly stuck: Failed;
  readonly tooLong: { readonly code: string; readonly findings: readonly string[] };
  readonly xfs: { readonly code: string; readonly findings: readonly string[] };
}

const input = await labInput<{ readonly vm: SmallVm; readonly vaultUrl: string; readonly kekId: string }>();
const { kekId } = input;
await attachPartitions(input.vm, false);
await makeFileSystems('ext4');
await bootState();
await enterDataInFstab('ext4');
await using vault = await openGuestVault(input.vaultUrl);
const random = new Random(1);
const files: PromisedFile[] = [];
for (let index = 0; index < 8; index++) {
  files.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
const fstab = readFileSync('/etc/fstab', 'utf8');

const tooLong = await attempt(new VolumeEngine(), 0.1);
// Between the choice of the front and the unmount the volume is filled: what is used no longer fits into it.
const filling = new VolumeEngine({
  beforeUnmount: async () => writeFileSync(`${dataMountPoint}/sudden`, Buffer.alloc(200 * 1024 * 1024, 1)),
});
const filled = await failed(filling);
rmSync(`${dataMountPoint}/sudden`);
/** Less than the files take: resize2fs runs out of room in the middle. */
const tooSmall = '9M';
const stuck = await failed(
  new VolumeEngine({
    run: (program, args, options) =>
      run(program, program === 'resize2fs' && args[0] === '-f' ? [...args.slice(0, -1), tooSmall] : args, options),
  }),
);

await run('umount', [dataMountPoint]);
await run('wipefs', ['--all', '--quiet', dataDevice]);
await run('mkfs.xfs', ['-q', '-f', '-s', 'size=4096', dataDevice]);
writeFileSync('/etc/fstab', '');
await enterDataInFstab('xfs');
const xfs = await attempt(new VolumeEngine(), null);
labResult({ filled, stuck, tooLong, xfs } satisfies UsedOnlyRefusals);

/** Tries it, and looks at what it has left. The volume is mounted again afterwards. */
async function failed(engine: VolumeEngine): Promise<Failed> {
  const { code } = await attempt(engine, null);
  const differences: string[] = [];
  if (readFileSync('/etc/fstab', 'utf8') !== fstab) differences.push('fstab');
  differences.push(...damagedFiles(files));
  for (const folder of ['/var/lib/kannuki/headers', '/var/lib/kannuki/volumes']) {
    if (existsSync(folder)) differences.push(...readdirSync(folder));
  }
  const { blocks, bsize } = statfsSync(dataMountPoint);
  const isMountedPlain = await isMountedFrom(dataDevice);
  await run('umount', [dataMountPoint]);
  const { exitCode } = await run('e2fsck', ['-f', '-n', dataDevice], { accept: [0, 1, 2, 4, 8] });
  await run('mount', ['-t', 'ext4', dataDevice, dataMountPoint]);
  return { code, differences, fileSystemBytes: blocks * bsize, isMountedPlain, isClean: exitCode === 0 };
}

async function attempt(engine: VolumeEngine, maximumDowntimeSeconds: number | null) {
  const way = inPlaceBySpace({ space: 'used', maximumDowntimeSeconds, rest: 'zeros', onChoice: () => {} });
  try {
    await engine.encrypt(dataMountPoint, { vault, kekId, stopServices: false }, way);
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    return { code: error.code, findings: error.findings.map(({ message }) => message.en) };
  }
  return { code: 'none', findings: [] };
}

async function isMountedFrom(device: string): Promise<boolean> {
  const number = (await run('lsblk', ['--nodeps', '--noheadings', '--output', 'MAJ:MIN', device])).stdout.trim();
  const { stdout } = await run('findmnt', ['--noheadings', '--output', 'MAJ:MIN', '--mountpoint', dataMountPoint]);
  return stdout.trim() === number;
}
