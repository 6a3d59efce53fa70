import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { run } from '@kannuki/core';

/** Runs command lines one after the other, inside the lab machine; no argument has a blank in it. */
export async function sh(...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [program = '', ...args] = line.split(' ');
    await run(program, args, { timeoutSeconds: 600, environment: { TEST_DIR: '1', TEST_DEV: '1', QA_CHECK_FS: '1' } });
  }
}

/** Commands that make file systems. mkfs.xfs wants 300 MB at least, unless the variables in `sh` say that this is a test. */
export const mkfs = {
  ext2: 'mkfs.ext2 -q -F -b 4096',
  ext3: 'mkfs.ext3 -q -F -b 4096',
  ext4: 'mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=0,lazy_journal_init=0',
  xfs: 'mkfs.xfs -q -f -s size=4096',
  btrfs: 'mkfs.btrfs -q -f',
} as const;

/** Names below /dev/disk as udev gives them: by serial number (`lab-ubdb`), by partition table, by array. */
export async function makeLinks(): Promise<void> {
  for (const folder of ['by-id', 'by-partuuid']) mkdirSync(`/dev/disk/${folder}`, { recursive: true });
  for (const name of readdirSync('/sys/class/block')) {
    if (/^(?:ubd[b-z]|sd[a-z]|vd[a-z])\d*$/.test(name)) await linkDisk(name);
    if (/^md\d+$/.test(name)) linkArray(name);
  }
}

async function linkDisk(name: string): Promise<void> {
  const [, disk = '', partition = ''] = /^([a-z]+)(\d*)$/.exec(name) ?? [];
  link(`by-id/lab-${disk}${partition === '' ? '' : `-part${partition}`}`, name);
  if (partition === '') return;
  const { stdout } = await run('lsblk', ['--json', '--nodeps', '--output', 'PARTUUID', `/dev/${name}`]);
  const probed = await run(
    'blkid',
    ['--probe', '--output', 'value', '--match-tag', 'PART_ENTRY_UUID', `/dev/${name}`],
    {
      accept: [0, 2],
    },
  );
  const known = (JSON.parse(stdout) as { blockdevices: readonly { partuuid: string | null }[] }).blockdevices[0];
  const uuid = known?.partuuid ?? probed.stdout.trim();
  if (uuid !== '') link(`by-partuuid/${uuid}`, name);
}

function linkArray(name: string): void {
  const path = `/sys/class/block/${name}/md/uuid`;
  if (existsSync(path)) link(`by-id/md-uuid-${readFileSync(path, 'utf8').trim()}`, name);
}

function link(path: string, kernelName: string): void {
  const whole = `/dev/disk/${path}`;
  rmSync(whole, { force: true });
  symlinkSync(`../../${kernelName}`, whole);
}

/** Makes partitions: one line of sfdisk(8) each. The kernel's nodes are there when it returns. */
export async function partition(disk: string, label: 'gpt' | 'dos', ...lines: readonly string[]): Promise<void> {
  await run('sfdisk', ['--quiet', '--label', label, disk], { input: `${lines.join('\n')}\n` });
  await makeLinks();
}
