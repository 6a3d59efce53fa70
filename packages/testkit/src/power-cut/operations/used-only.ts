import { rmSync } from 'node:fs';
import { run } from '@kannuki/core';
import { inPlaceBySpace, type SpaceChoice, type VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import { fileContent, writePromised } from '../files.ts';
import { Random } from '../random.ts';

/** What the operation finds inside the lab machine: the data volume is mounted at `point`. */
export interface UsedOnlyWorld {
  readonly point: string;
  readonly vault: VaultPort;
  readonly kekId: string | null;
  readonly engine: VolumeEngine;
}

export const usedOnlySteps = [
  'planned',
  'passphrase-escrowed',
  'header-made',
  'header-escrowed',
  'entries-moved',
  'shrink-begun',
  'mapped',
  'rest-wiped',
  'grown',
  'converted',
  'finished',
] as const;

/**
 * Fills most of the volume, so that what is written next lies far behind; `clear` then makes room before it. The shrinking has
 * blocks to move then, and the rest of the disk shows old plaintext.
 */
export async function fillFront(point: string, mebibytes: number): Promise<{ clear(): Promise<void> }> {
  const random = new Random(7);
  for (let index = 0; index < mebibytes; index++) {
    await writePromised(`${point}/filler`, `x${index}`, fileContent(random, 1024 * 1024));
  }
  return {
    clear: async () => {
      rmSync(`${point}/filler`, { recursive: true });
      await run('sync', []);
    },
  };
}

export async function work({ engine, point, vault, kekId }: UsedOnlyWorld): Promise<readonly SpaceChoice[]> {
  const choices: SpaceChoice[] = [];
  const way = inPlaceBySpace({
    space: 'used',
    maximumDowntimeSeconds: null,
    rest: 'zeros',
    onChoice: (choice) => choices.push(choice),
  });
  await engine.encrypt(point, { vault, kekId, stopServices: false }, way);
  return choices;
}
