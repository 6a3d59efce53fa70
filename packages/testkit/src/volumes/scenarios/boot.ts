import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import type { VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import type { Layout } from '../layouts/layout.ts';
import { makeLinks } from '../layouts/shell.ts';
import { forgetFiles, isMounted, mountFromFstab, swapFromFstab } from './places.ts';

/**
 * What a boot does, in its order: names and arrays, unlock, what lies on encrypted disks, mounts and swap space.
 * @returns what could not be unlocked
 */
export async function bootDisks(layout: Layout, engine: VolumeEngine, vault: VaultPort): Promise<readonly string[]> {
  // Folders of the OS disk, which is a fresh tmpfs here.
  for (const { point } of layout.places) mkdirSync(point, { recursive: true });
  await makeLinks();
  await layout.assemble?.();
  await openRandomKeys(layout);
  const failures = await engine.unlock(async () => vault);
  await layout.afterUnlock?.();
  await mountFromFstab(layout.places);
  await swapFromFstab(layout.swaps ?? []);
  return failures.map(({ point, error }) => `${point} was not unlocked: ${String(error)}`);
}

const generator = '/usr/lib/systemd/system-generators/systemd-cryptsetup-generator';

/**
 * Volumes with a random key a boot are systemd's alone. There is no systemd here, but its generator reads our crypttab, and what
 * its units start is run: a line that systemd does not understand opens nothing.
 */
async function openRandomKeys(layout: Layout): Promise<void> {
  const lines = entriesOf('/etc/crypttab').filter((fields) => fields[2] === '/dev/urandom');
  if (lines.length === 0) return;
  await linkUuids();
  const folder = mkdtempSync('/run/units-');
  await run(generator, [folder, folder, folder]);
  for (const [name = ''] of lines) {
    const unit = readFileSync(join(folder, `systemd-cryptsetup@${name.replaceAll('-', '\\x2d')}.service`), 'utf8');
    const commands = [...unit.matchAll(/^ExecStart(?:Post)?=(.+)$/gm)].map(([, command = '']) => command);
    if (commands.length === 0) throw new Error(`nothing to start in ${unit}`);
    for (const command of commands) await run('sh', ['-c', command.replaceAll('%%', '%')], { timeoutSeconds: 60 });
  }
  await run('dmsetup', ['mknodes']);
  for (const [device = '', point = '', type = ''] of entriesOf('/etc/kannuki/mounts')) {
    if (type === 'swap') await run('swapon', [device]);
    else if (!(await isMounted(point))) await run('mount', ['-t', type, device, point]);
  }
  if (layout.isTemporary === true) forgetFiles();
}

/** Lines of a table, without comments, field by field. */
function entriesOf(path: string): readonly (readonly string[])[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));
}

/** udev's names by what is on the disks, which the boot finds the marks by. */
async function linkUuids(): Promise<void> {
  const folder = '/dev/disk/by-uuid';
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync('/sys/class/block')) {
    if (!/^ubd[b-z]\d*$/.test(name)) continue;
    const args = ['--probe', '--output', 'value', '--match-tag', 'UUID', `/dev/${name}`];
    const uuid = (await run('blkid', args, { accept: [0, 2, 8] })).stdout.trim();
    if (uuid === '') continue;
    rmSync(join(folder, uuid), { force: true });
    symlinkSync(`../../${name}`, join(folder, uuid));
  }
}
