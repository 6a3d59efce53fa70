import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import type { Layout, Place } from '../layouts/layout.ts';
import type { Stage } from '../result.ts';

/** What a row keeps between its boots, on the state disk. */
const promises = '/var/lib/promised.json';
const oldFstab = '/var/lib/fstab.first';

/** Mounts a file system by a line of fstab as a careful administrator writes it: by UUID, or by the LV's own name. */
export async function enterPlace({ device, point, type, options = 'defaults,nofail' }: Place): Promise<void> {
  mkdirSync(point, { recursive: true });
  appendFileSync('/etc/fstab', `${await sourceOf(device)} ${point} ${type} ${options} 0 2\n`);
  await run('mount', ['-t', type, '-o', options.replace(/,?nofail/, '') || 'defaults', device, point]);
}

export async function enterSwap(device: string): Promise<void> {
  appendFileSync('/etc/fstab', `${await sourceOf(device)} none swap sw,nofail 0 0\n`);
  await run('swapon', [device]);
}

/** How fstab names a device; `UUID=` and nothing more for one that has none now. */
async function sourceOf(device: string): Promise<string> {
  // Names that a person gives, and that lead to the same device whatever is on it.
  if (/^\/dev\/(?:mapper|disk)\//.test(device)) return device;
  const args = ['--probe', '--output', 'value', '--match-tag', 'UUID', device];
  return `UUID=${(await run('blkid', args, { accept: [0, 2] })).stdout.trim()}`;
}

/** The places that have a file system at a stage of the row: a blank disk gets its first one with its encryption. */
export function placesAt({ blank, places }: Layout, state: Stage['state']): readonly Place[] {
  return blank !== undefined && state === 'NotEncrypted' ? [] : places;
}

/** What the boot mounts by itself: every line of fstab whose device is there. */
export async function mountFromFstab(places: readonly Place[]): Promise<void> {
  for (const { device, point, type } of places) {
    mkdirSync(point, { recursive: true });
    const line = fstabLines().find((fields) => fields[1] === point);
    if (line === undefined || (await isMounted(point))) continue;
    const options = (line[3] ?? '').replace(/,?nofail|,?_netdev|,?comment=[^,]*|,?x-systemd\.[^,]*/g, '');
    await run('mount', ['-t', type, '-o', options || 'defaults', device, point]);
  }
}

/** What the boot swaps to by itself. */
export async function swapFromFstab(devices: readonly string[]): Promise<void> {
  for (const device of devices) {
    const source = await sourceOf(device);
    if (fstabLines().some((fields) => fields[0] === source)) await run('swapon', [device]);
  }
}

/** Field by field, without comments. */
function fstabLines(): readonly (readonly string[])[] {
  const lines = readFileSync('/etc/fstab', 'utf8').split('\n');
  return lines.filter((line) => !line.startsWith('#')).map((line) => line.split(/\s+/));
}

/** The engine mounts the volumes of a group that it has unlocked, where the boot has not. */
export async function isMounted(point: string): Promise<boolean> {
  return (await run('findmnt', ['--mountpoint', point], { accept: [0, 1] })).exitCode === 0;
}

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
  if (!existsSync(oldFstab)) writeFileSync(oldFstab, readFileSync('/etc/fstab'));
  await run('sync', []);
}

/** They may go from now on. */
export function forgetFiles(): void {
  writeFileSync(promises, '[]');
}

export function promisedFiles(): readonly PromisedFile[] {
  return existsSync(promises) ? (JSON.parse(readFileSync(promises, 'utf8')) as readonly PromisedFile[]) : [];
}

/** As it was when the row was made. */
export function firstFstab(): string {
  return readFileSync(oldFstab, 'latin1');
}
