import type { Layout } from './layout.ts';
import { cannotShrink } from './refusals.ts';
import { refusedInAll } from './refused.ts';
import { makeLinks, mkfs, sh } from './shell.ts';

const array = '/dev/md/data';
const names = ['b', 'c', 'd', 'e'];

function members(count: number): string {
  return names
    .slice(0, count)
    .map((letter) => `/dev/ubd${letter}`)
    .join(' ');
}

async function create(level: number, count: number): Promise<void> {
  await sh(
    `modprobe raid${level === 5 || level === 6 ? '456' : level}`,
    `mdadm --create ${array} --quiet --run --homehost=any --name=data --level=${level} --raid-devices=${count} ${
      // As an array is after its first hours: no rebuild goes on beside the test.
      level === 0 ? '' : '--assume-clean '
    }${members(count)}`,
  );
  await makeLinks();
}

async function assemble(level: number, count: number): Promise<void> {
  await sh(
    `modprobe raid${level === 5 || level === 6 ? '456' : level}`,
    `mdadm --assemble ${array} --quiet --homehost=any ${members(count)}`,
  );
  await makeLinks();
}

function raid(level: number, count: number, memberMiB: number, more: Partial<Layout> = {}): Layout {
  return {
    name: `md RAID ${level}`,
    disksMiB: Array.from({ length: count }, () => memberMiB),
    make: async () => {
      await create(level, count);
      await sh(`${level === 5 ? mkfs.xfs : mkfs.ext4} ${array}`);
    },
    assemble: () => assemble(level, count),
    places: [{ device: array, point: '/srv/data0', type: level === 5 ? 'xfs' : 'ext4' }],
    ...(level === 5 ? { refused: cannotShrink('xfs') } : {}),
    ...more,
  };
}

/** md arrays as volumes: dm-crypt above the array. */
export const mdLayouts: readonly Layout[] = [
  raid(0, 2, 100, { refused: { grow: { rule: 'REQ-255', says: 'does not grow with its disks' } } }),
  raid(1, 2, 200),
  raid(5, 3, 180),
  raid(6, 4, 100),
  raid(10, 4, 100),
  {
    ...raid(1, 2, 200),
    name: 'member of an md array',
    targets: ['/dev/ubdb'],
    growTargets: ['/srv/data0'],
    refused: refusedInAll('REQ-090', 'member of a RAID array'),
  },
];
