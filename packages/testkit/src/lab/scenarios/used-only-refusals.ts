import { existsSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { inPlaceBySpace, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { damagedFiles, fileContent, writePromised } from '../../power-cut/files.ts';
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

/** Inside a lab machine: used space only where it cannot be, and where it fails half-way. */
export interface UsedOnlyRefusals {
  readonly failed: {
    readonly code: string;
    readonly differences: readonly string[];
    readonly fileSystemBytes: number;
    readonly isMountedPlain: boolean;
    readonly isClean: boolean;
  };
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
const files = [];
for (let index = 0; index < 8; index++) {
  files.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
const fstab = readFileSync('/etc/fstab', 'utf8');

const tooLong = await attempt(new VolumeEngine(), 0.1);
// Between the choice of the front and the unmount the volume is filled: what is used no longer fits into it.
const filling = new VolumeEngine({
  beforeUnmount: async () => writeFileSync(`${dataMountPoint}/sudden`, Buffer.alloc(200 * 1024 * 1024, 1)),
});
const { code } = await attempt(filling, null);
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
const failed = { code, differences, fileSystemBytes: blocks * bsize, isMountedPlain, isClean: exitCode === 0 };

await run('wipefs', ['--all', '--quiet', dataDevice]);
await run('mkfs.xfs', ['-q', '-f', '-s', 'size=4096', dataDevice]);
writeFileSync('/etc/fstab', '');
await enterDataInFstab('xfs');
const xfs = await attempt(new VolumeEngine(), null);
labResult({ failed, tooLong, xfs } satisfies UsedOnlyRefusals);

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
