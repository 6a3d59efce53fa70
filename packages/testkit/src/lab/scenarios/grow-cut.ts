import { mkdirSync, statfsSync } from 'node:fs';
import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine, VolumeGrowth } from '@kannuki/guest';
import { damagedFiles } from '../../power-cut/files.ts';
import type { Place } from '../../volumes/layouts/layout.ts';
import { makeLinks, mkfs, partition, sh } from '../../volumes/layouts/shell.ts';
import { enterPlace, fillPlaces, mountFromFstab, promisedFiles } from '../../volumes/scenarios/places.ts';
import { bootStateDisk } from '../../volumes/scenarios/state-disk.ts';
import { activate, encrypt, lvm } from '../grow/disks.ts';
import { labInput, labResult, labTell } from '../inside.ts';

/**
 * Inside a lab machine: every layer that there is, one on the other (GPT, dm-crypt, LVM, XFS). The power goes when a layer has grown, and
 * each further boot grows one layer more.
 */
export interface GrowCutInput {
  readonly boot: 'make' | 'grow';
  readonly vaultUrl: string;
  /** After this layer, counted from 0, the machine waits for its power cut; null: to the end. */
  readonly stopAfter: number | null;
}

export interface GrowCutResult {
  readonly problems: readonly string[];
  /** `LAYER: grew`, or `LAYER: had grown` before. */
  readonly layers: readonly string[];
  readonly bytes: number;
}

const input = await labInput<GrowCutInput>();
const below: Place = { device: '/dev/ubdb1', point: '/srv/below', type: 'ext4' };
const place: Place = { device: '/dev/mapper/data-one', point: '/srv/data0', type: 'xfs' };
await bootStateDisk(input.boot === 'make');
await makeLinks();
await using vault = await openGuestVault(input.vaultUrl);
const engine = new VolumeEngine();
const problems: string[] = [];
const layers: string[] = [];

if (input.boot === 'make') await make();
else await grow();
await run('sync', []);
const { blocks, bsize } = statfsSync(place.point);
labResult({ problems, layers, bytes: blocks * bsize } satisfies GrowCutResult);

async function make(): Promise<void> {
  await partition('/dev/ubdb', 'gpt', 'type=linux');
  await sh(`${mkfs.ext4} ${below.device}`);
  await enterPlace(below);
  await encrypt(below.point, { engine, vault });
  const mapper = '/dev/mapper/kn_srv_below';
  await lvm(`umount ${below.point}`, `wipefs -qa ${mapper}`, `pvcreate -qq --yes ${mapper}`);
  await lvm(`vgcreate -qq --yes data ${mapper}`, 'lvcreate -qq --yes -Wn -n one -l 100%FREE data');
  await sh(`${mkfs.xfs} ${place.device}`);
  await enterPlace(place);
  await fillPlaces([place.point]);
}

async function grow(): Promise<void> {
  mkdirSync(place.point, { recursive: true });
  const failures = await engine.unlock(async () => vault);
  problems.push(...failures.map(({ point, error }) => `${point} was not unlocked: ${String(error)}`));
  await activate();
  await mountFromFstab([place]);
  problems.push(...damagedFiles(promisedFiles()).map((path) => `${path} is damaged`));
  const growth = new VolumeGrowth({
    onLayer: async ({ layer, bytesBefore, bytesAfter }) => {
      layers.push(`${layer}: ${bytesAfter > bytesBefore ? 'grew' : 'had grown'}`);
      if (layers.length - 1 !== input.stopAfter) return;
      labTell(`stopped ${layers.join(', ')}; ${problems.join(', ')}`);
      // The power is cut from outside.
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    },
  });
  await growth.grow(place.point, () => vault);
  problems.push(...damagedFiles(promisedFiles()).map((path) => `${path} is damaged behind the growing`));
}
