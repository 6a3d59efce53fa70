import { readFileSync, realpathSync } from 'node:fs';
import { run, type VolumeStatus } from '@kannuki/core';
import type { VolumeEngine } from '@kannuki/guest';
import { canary, damagedFiles } from '../../power-cut/files.ts';
import type { Layout, Place } from '../layouts/layout.ts';
import type { Stage } from '../result.ts';
import { placesAt, promisedFiles } from './places.ts';

/** Everything that is not as it has to be while the volumes are in use: files, states, and what they lie on. */
export async function problemsInUse(
  layout: Layout,
  engine: VolumeEngine,
  state: Stage['state'],
): Promise<readonly string[]> {
  const damaged = damagedFiles(promisedFiles());
  const problems = damaged.length === 0 ? [] : [`${damaged.length} files damaged or missing, e.g. ${damaged[0]}`];
  const volumes = await engine.list();
  for (const [device, places] of Map.groupBy(placesAt(layout, state), (place) => place.device)) {
    // A volume that is mounted several times is listed once.
    const points = places.map(({ point }) => point);
    const rows = volumes.filter(({ mountPoint }) => mountPoint !== null && points.includes(mountPoint));
    const [row] = rows;
    if (row === undefined || rows.length !== 1 || row.state !== state) {
      problems.push(`${device} is listed as ${rows.map(shown).join(', ') || 'nothing'} and not as ${state}`);
      continue;
    }
    if (state === 'NotEncrypted' && realpathSync(row.device) !== realpathSync(device)) {
      problems.push(`${points.join(', ')} lies on ${row.device} and not on ${device} itself`);
    }
  }
  for (const device of layout.swaps ?? []) problems.push(...problemsOfSwap(device, volumes, state));
  return problems;
}

function shown({ name, state, percent }: VolumeStatus): string {
  return `${name} ${state} ${percent}`;
}

/** Swapped to the device itself, or to the mapping over it and to nothing else. */
function problemsOfSwap(device: string, volumes: readonly VolumeStatus[], state: Stage['state']): readonly string[] {
  const row = volumes.find((volume) => volume.device === device);
  const node = realpathSync(state === 'Encrypted' ? `/dev/mapper/${row?.name}` : device);
  const swaps = readFileSync('/proc/swaps', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((path) => path !== '');
  const problems = swaps.map((path) => realpathSync(path)).includes(node)
    ? []
    : [`${node} is not swapped to: ${swaps.join(' ')}`];
  const isRaw = swaps.includes(device);
  if (state === 'Encrypted' && isRaw) problems.push(`${device} is swapped to in plain`);
  if (row?.state !== state) problems.push(`${device} is listed as ${row?.state} and not as ${state}`);
  return problems;
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

/**
 * A longer look: searches the raw devices for what the files hold, unmounts all places, lets each file system's own checker look at
 * it, and mounts them again as they were.
 */
export async function problemsAtRest(
  layout: Layout,
  engine: VolumeEngine,
  state: Stage['state'],
): Promise<readonly string[]> {
  const mounted: Mounted[] = [];
  for (const place of placesAt(layout, state)) mounted.push(await mountedAt(place));
  const points = mounted.map(({ place }) => place.point);
  const volumes = (await engine.list()).filter(({ mountPoint }) => points.includes(mountPoint ?? ''));
  const rawDevices = new Set(volumes.map(({ device }) => device));
  for (const point of points.toReversed()) await run('umount', [point]);
  const problems: string[] = [];
  if (state === 'Encrypted' && layout.isHuge !== true) {
    for (const device of rawDevices) if (await showsPlaintext(device)) problems.push(`${device} shows plaintext`);
  }
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
