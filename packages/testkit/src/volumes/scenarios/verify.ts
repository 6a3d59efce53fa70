import { run, type VolumeState } from '@kannuki/core';
import type { VolumeEngine } from '@kannuki/guest';
import { canary, damagedFiles } from '../../power-cut/files.ts';
import type { Layout, Place } from '../layouts/layout.ts';
import { promisedFiles } from './places.ts';

/** Everything that is not as it has to be while the volumes are in use: files, states, and what the raw device shows. */
export async function problemsInUse(
  layout: Layout,
  engine: VolumeEngine,
  wanted: 'plain' | 'encrypted',
): Promise<readonly string[]> {
  const damaged = damagedFiles(promisedFiles());
  const problems = damaged.length === 0 ? [] : [`${damaged.length} files damaged or missing, e.g. ${damaged[0]}`];
  const volumes = await engine.list();
  for (const [device, places] of Map.groupBy(layout.places, (place) => place.device)) {
    // A volume that is mounted several times is listed once.
    const points = places.map(({ point }) => point);
    const rows = volumes.filter(({ mountPoint }) => mountPoint !== null && points.includes(mountPoint));
    const [row] = rows;
    const states = rows.map(({ state, percent }) => `${state} ${percent}`);
    if (row === undefined || rows.length !== 1 || !isAsWanted(row.state, layout, wanted)) {
      problems.push(`${device} is listed as ${states.join(', ') || 'nothing'} and not as ${wanted}`);
      continue;
    }
    if (wanted === 'encrypted' && layout.isHuge !== true && (await showsPlaintext(row.device))) {
      problems.push(`${row.device} below ${points.join(', ')} shows plaintext`);
    }
  }
  return problems;
}

function isAsWanted(state: VolumeState, layout: Layout, wanted: 'plain' | 'encrypted'): boolean {
  if (wanted === 'plain') return state === 'NotEncrypted';
  return state === (layout.isHuge === true ? 'EncryptionInProgress' : 'Encrypted');
}

/** Reads the device itself, past every cache. */
async function showsPlaintext(device: string): Promise<boolean> {
  const { stdout } = await run(
    'sh',
    ['-c', 'dd if="$0" bs=1M iflag=direct status=none | grep -a -c -F -m 1 -e "$1"', device, canary],
    { accept: [0, 1], timeoutSeconds: 300 },
  );
  return stdout.trim() !== '0';
}

const checkers: Readonly<Record<Place['type'], readonly string[]>> = {
  ext2: ['e2fsck', '-f', '-n'],
  ext3: ['e2fsck', '-f', '-n'],
  ext4: ['e2fsck', '-f', '-n'],
  xfs: ['xfs_repair', '-n'],
  btrfs: ['btrfs', 'check', '--readonly'],
};

interface Mounted {
  readonly place: Place;
  readonly device: string;
  readonly options: string;
}

/** Unmounts all places, lets each file system's own checker look at it, and mounts them again as they were. */
export async function problemsAtRest({ places }: Layout): Promise<readonly string[]> {
  const mounted: Mounted[] = [];
  for (const place of places) mounted.push(await mountedAt(place));
  for (const { place } of mounted.toReversed()) await run('umount', [place.point]);
  const problems: string[] = [];
  for (const [device, [first]] of Map.groupBy(mounted, (one) => one.device)) {
    if (first === undefined) continue;
    const [program = '', ...args] = checkers[first.place.type];
    const checked = await run(program, [...args, device], { accept: [0, 1, 2, 4, 8], timeoutSeconds: 300 });
    if (checked.exitCode !== 0) problems.push(`${program} ${device}: ${checked.stdout} ${checked.stderr}`);
  }
  for (const { place, device, options } of mounted) {
    await run('mount', ['-t', place.type, '-o', options, device, place.point]);
  }
  return problems;
}

async function mountedAt(place: Place): Promise<Mounted> {
  const { stdout } = await run('findmnt', ['--json', '--output', 'SOURCE,OPTIONS', '--mountpoint', place.point]);
  const { filesystems } = JSON.parse(stdout) as {
    filesystems: readonly { readonly source: string; readonly options: string }[];
  };
  const [{ source, options } = { source: '', options: '' }] = filesystems;
  // The source of a subvolume has its folder behind it.
  return { place, device: source.replace(/\[.*\]$/, ''), options };
}
