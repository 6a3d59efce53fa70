import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import type { Place } from '../layouts/layout.ts';

/** Mounts a file system by a line of fstab as a careful administrator writes it: by UUID, or by the LV's own name. */
export async function enterPlace({ device, point, type, options = 'defaults,nofail' }: Place): Promise<void> {
  mkdirSync(point, { recursive: true });
  const { stdout } = await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'UUID', device]);
  const source = device.startsWith('/dev/mapper/') ? device : `UUID=${stdout.trim()}`;
  appendFileSync('/etc/fstab', `${source} ${point} ${type} ${options} 0 2\n`);
  await run('mount', ['-t', type, '-o', options.replace(/,?nofail/, '') || 'defaults', device, point]);
}

/** What the boot mounts by itself: every line of fstab whose device is there. */
export async function mountFromFstab(places: readonly Place[]): Promise<void> {
  const lines = readFileSync('/etc/fstab', 'utf8').split('\n');
  for (const { device, point, type } of places) {
    mkdirSync(point, { recursive: true });
    const line = lines.find((one) => !one.startsWith('#') && one.split(/\s+/)[1] === point);
    if (line === undefined || (await isMounted(point))) continue;
    const options = (line.split(/\s+/)[3] ?? '').replace(/,?nofail/, '') || 'defaults';
    await run('mount', ['-t', type, '-o', options, device, point]);
  }
}

/** The engine mounts the volumes of a group that it has unlocked, where the boot has not. */
async function isMounted(point: string): Promise<boolean> {
  return (await run('findmnt', ['--mountpoint', point], { accept: [0, 1] })).exitCode === 0;
}

const promises = '/var/lib/promised.json';
const fileBytes = 256 * 1024;
const filesPerPlace = 24;

/** Fills each place with files that have to be there ever after. */
export async function fillPlaces(points: readonly string[]): Promise<void> {
  const random = new Random(7);
  const files: PromisedFile[] = [];
  for (const point of points) {
    for (let index = 0; index < filesPerPlace; index++) {
      files.push(await writePromised(`${point}/files`, `f${index}`, fileContent(random, fileBytes)));
    }
  }
  writeFileSync(promises, JSON.stringify([...promisedFiles(), ...files]));
  await run('sync', []);
}

export function promisedFiles(): readonly PromisedFile[] {
  return existsSync(promises) ? (JSON.parse(readFileSync(promises, 'utf8')) as readonly PromisedFile[]) : [];
}
