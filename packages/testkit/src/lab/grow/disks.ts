import { run } from '@kannuki/core';
import { formatting, type VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import type { Place } from '../../volumes/layouts/layout.ts';
import { mkfs, partition, sh } from '../../volumes/layouts/shell.ts';
import { enterPlace } from '../../volumes/scenarios/places.ts';

/** What makes volumes inside the lab machine. */
export interface World {
  readonly engine: VolumeEngine;
  readonly vault: VaultPort;
}

/** A volume that is to grow: how it is made, and what it is like. */
export interface GrowCase {
  readonly place: Place;
  /** Makes and enters the volume, and encrypts it. */
  readonly make: (world: World) => Promise<void>;
  /** Every layer from the disk up. */
  readonly layers: readonly string[];
  readonly isPlain?: true;
}

export async function lvm(...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [program = '', ...args] = line.split(' ');
    await run(program, args, { environment: { DM_DISABLE_UDEV: '1' }, timeoutSeconds: 120 });
  }
}

export const activate = (): Promise<void> => lvm('vgchange -qq -ay');

export async function encrypt(target: string, { engine, vault }: World): Promise<void> {
  await engine.encrypt(target, { vault, kekId: null, stopServices: false });
}

/** MiB; the first is that of the OS, /dev/ubda, the others hold a volume each or a part of one. */
export const disksMiB = [256, 160, 560, 160, 64] as const;
export const grownByMiB = 64;

async function simple(place: Place, world: World): Promise<void> {
  await sh(`${mkfs[place.type]} ${place.device}`);
  await enterPlace(place);
  await encrypt(place.point, world);
}

const whole: Place = { device: '/dev/ubdb', point: '/srv/whole', type: 'ext4' };
/** Not the last partition of its disk. */
export const notLast: Place = { device: '/dev/ubdc1', point: '/srv/first', type: 'ext4' };
const gpt: Place = { device: '/dev/ubdc2', point: '/srv/gpt', type: 'xfs' };
const onDisk: Place = { device: '/dev/ubdd', point: '/srv/formatted', type: 'ext4' };
export const swap = '/dev/ubde';

/** Other layouts grow in the matrix (packages/testkit/src/volumes); here a program writes meanwhile. */
export const growCases: readonly GrowCase[] = [
  {
    place: whole,
    make: (world) => simple(whole, world),
    layers: ['disk', 'mapping', 'file-system'],
  },
  {
    place: gpt,
    make: async () => {
      await partition('/dev/ubdc', 'gpt', 'size=160M', 'size=320M, name=last');
      for (const place of [notLast, gpt]) {
        await sh(`${mkfs[place.type]} ${place.device}`);
        await enterPlace(place);
      }
    },
    layers: ['disk', 'partition', 'file-system'],
    isPlain: true,
  },
  {
    place: onDisk,
    make: async ({ engine, vault }) => {
      await sh(`${mkfs.ext4} ${onDisk.device}`);
      await enterPlace(onDisk);
      const way = formatting({ confirmed: [], wipe: false });
      await engine.encrypt(onDisk.point, { vault, kekId: null, stopServices: false }, way);
    },
    layers: ['disk', 'mapping', 'file-system'],
  },
];
