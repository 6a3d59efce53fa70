import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskHash } from '../../disk-hash.ts';

/** What a refusal must leave as it is, by name: the disk, each file of configuration and state, mounts, block devices. */
export type MachineState = ReadonlyMap<string, string>;

/** Where fstab, crypttab, units and our mounts file are, and where journals and headers would be. */
const watched = ['/etc', '/var/lib/kannuki'];

export async function machineState(disk: string): Promise<MachineState> {
  return new Map([[disk, await diskHash(disk)], ...machineFiles()]);
}

/** The same without what lies on the disk. */
export function machineFiles(): MachineState {
  return new Map([
    ...watched.flatMap((folder) => filesBelow(folder)),
    ['mounts', readFileSync('/proc/self/mountinfo', 'utf8')],
    ['block devices', readdirSync('/sys/block').sort().join(' ')],
  ]);
}

/** Names of all that differs. */
export function differences(before: MachineState, after: MachineState): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
}

function filesBelow(folder: string): readonly (readonly [string, string])[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return paths.map((path) => {
    const entry = lstatSync(path);
    if (!entry.isFile()) return [path, 'no file'];
    return [path, `${entry.mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
  });
}
