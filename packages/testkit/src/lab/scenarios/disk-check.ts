import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { checkMachineVolumes } from '@kannuki/guest';
import { labResult } from '../inside.ts';

/**
 * Inside a lab machine: disks are made into all that a kernel can make of them (swap, LVM, RAID, dm-crypt, partitions, mounts of every
 * kind), and each time the checks are asked what they see. /dev/ubda is the data volume at /srv/data0; /dev/ubdb and /dev/ubdc
 * are there to be made something of.
 */
export interface Sight {
  readonly situation: string;
  /** `REQ-nnn severity: message` of each finding, without notes and warnings. */
  readonly refusals: readonly string[];
  /** Code of the error, where there were no findings. */
  readonly error: string | null;
  /** Kernel names of the volumes that the target means. */
  readonly volumes: readonly string[];
  /** Sectors that were written to any disk while the checks ran. */
  readonly sectorsWritten: number;
}

interface Situation {
  readonly name: string;
  readonly make: () => Promise<unknown>;
  readonly undo: () => Promise<unknown>;
  /** Default: the data volume. */
  readonly target?: string;
}

const point = '/srv/data0';
const other = '/srv/other';
const uuid = 'd0747266-888b-4398-8da2-da710e42557e';
// noatime: to look at a loop device is to read the file below it, and that alone would write an access time.
const goodLine = `UUID=${uuid} ${point} ext4 noatime,nofail 0 2`;
const ext4 = 'mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=0,lazy_journal_init=0';

/** Runs command lines one after the other; no argument has a blank in it. */
async function sh(...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [program = '', ...args] = line.split(' ');
    await run(program, args);
  }
}

function fstab(...lines: readonly string[]): void {
  writeFileSync('/etc/fstab', `${[goodLine, ...lines].join('\n')}\n`);
}

/** Mounts a device at the other place with a right line in fstab. */
async function mountOther(device: string, type: string): Promise<void> {
  const { stdout } = await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'UUID', device]);
  fstab(`UUID=${stdout.trim()} ${other} ${type} defaults,nofail 0 2`);
  await sh(`mount -t ${type} ${device} ${other}`);
}

async function leaveOther(): Promise<void> {
  await sh(`umount ${other}`);
  fstab();
}

function sectorsWritten(): number {
  const counters = ['ubda', 'ubdb', 'ubdc'].map(
    (disk) => readFileSync(`/sys/block/${disk}/stat`, 'utf8').trim().split(/\s+/)[6],
  );
  return counters.reduce((sum, counter) => sum + Number(counter), 0);
}

async function look(situation: string, target: string): Promise<Sight> {
  await sh('sync');
  const before = sectorsWritten();
  const seen = await outcome(target);
  await sh('sync');
  return { situation, ...seen, sectorsWritten: sectorsWritten() - before };
}

async function outcome(target: string): Promise<Pick<Sight, 'refusals' | 'error' | 'volumes'>> {
  try {
    const { findings, volumes } = await checkMachineVolumes({ targets: [target], stopServices: false });
    const refusals = findings.filter(({ severity }) => severity === 'refuse');
    return {
      refusals: refusals.map(({ rule, message }) => `${rule}: ${message.en}`),
      error: null,
      volumes: volumes.map(({ device }) => device.kernelName),
    };
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    return { refusals: [], error: error.code, volumes: [] };
  }
}

const lvm = ['--config', 'activation { udev_sync=0 udev_rules=0 }', '-qq', '--yes'];
const mirror = 'mdadm --create /dev/md0 --quiet --run --level=1 --raid-devices=2 --assume-clean /dev/ubdb /dev/ubdc';
const wipe = (): Promise<void> => sh('wipefs -qa /dev/ubdb', 'wipefs -qa /dev/ubdc');

async function makeLogicalVolume(): Promise<void> {
  await run('pvcreate', [...lvm, '/dev/ubdb']);
  await run('vgcreate', [...lvm, 'lab', '/dev/ubdb']);
  await run('lvcreate', [...lvm, '-Zn', '-Wn', '-n', 'lv', '-l', '100%FREE', 'lab']);
  await sh('dmsetup mknodes', `${ext4} /dev/mapper/lab-lv`);
  await mountOther('/dev/mapper/lab-lv', 'ext4');
}

async function removeLogicalVolume(): Promise<void> {
  await leaveOther();
  await run('vgremove', [...lvm, '-f', 'lab']);
  await wipe();
}

async function makeMirror(): Promise<void> {
  await sh(mirror, `${ext4} /dev/md0`);
  await mountOther('/dev/md0', 'ext4');
}

async function removeMirror(): Promise<void> {
  await leaveOther();
  await sh('mdadm --quiet --stop /dev/md0', 'mdadm --zero-superblock /dev/ubdb /dev/ubdc');
  await wipe();
}

async function makeCrypt(): Promise<void> {
  writeFileSync('/run/key', 'of nobody');
  await sh(
    'cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/key /dev/ubdb',
    'cryptsetup open --key-file /run/key /dev/ubdb theirs',
    'dmsetup mknodes',
    `${ext4} /dev/mapper/theirs`,
  );
  await mountOther('/dev/mapper/theirs', 'ext4');
}

async function removeCrypt(): Promise<void> {
  await leaveOther();
  await sh('cryptsetup close theirs');
  await wipe();
}

async function makeXfs(): Promise<void> {
  // mkfs.xfs of xfsprogs 6.1 wants no less than 300 MB, unless it is told that this is a test.
  await run('mkfs.xfs', ['-q', '-f', '/dev/ubdb'], {
    environment: { TEST_DIR: '1', TEST_DEV: '1', QA_CHECK_FS: '1' },
  });
  await mountOther('/dev/ubdb', 'xfs');
}

const nothing = async (): Promise<void> => {};
const swapFile = `${point}/swap`;

const situations: readonly Situation[] = [
  { name: 'healthy', make: nothing, undo: nothing },
  { name: 'healthy, by its device', make: nothing, undo: nothing, target: '/dev/ubda' },
  { name: 'healthy, by its tag', make: nothing, undo: nothing, target: `UUID=${uuid}` },
  { name: 'tmpfs', make: nothing, undo: nothing, target: '/dev/shm' },
  { name: 'nothing there', make: nothing, undo: nothing, target: '/srv/nowhere' },
  { name: 'no file system', make: nothing, undo: nothing, target: '/dev/ubdb' },
  {
    name: 'swap',
    make: () => sh('mkswap /dev/ubdb', 'swapon /dev/ubdb'),
    undo: async () => sh('swapoff /dev/ubdb').then(wipe),
    target: '/dev/ubdb',
  },
  { name: 'logical volume', make: makeLogicalVolume, undo: nothing, target: other },
  { name: 'physical volume', make: nothing, undo: removeLogicalVolume, target: '/dev/ubdb' },
  { name: 'mirror', make: makeMirror, undo: nothing, target: other },
  { name: 'member of a mirror', make: nothing, undo: removeMirror, target: '/dev/ubdb' },
  { name: 'mapping of someone else', make: makeCrypt, undo: nothing, target: other },
  { name: 'disk of someone else', make: nothing, undo: removeCrypt, target: '/dev/ubdb' },
  { name: 'xfs', make: makeXfs, undo: async () => leaveOther().then(wipe), target: other },
  {
    name: 'vfat',
    make: async () => sh('mkfs.vfat /dev/ubdb').then(() => mountOther('/dev/ubdb', 'vfat')),
    undo: async () => leaveOther().then(wipe),
    target: other,
  },
  {
    name: 'journal on another device',
    make: () =>
      sh('mke2fs -q -F -b 4096 -O journal_dev /dev/ubdc', 'mkfs.ext4 -q -F -b 4096 -J device=/dev/ubdc /dev/ubdb'),
    undo: wipe,
    target: '/dev/ubdb',
  },
  { name: 'clone', make: () => sh('sync', 'dd if=/dev/ubda of=/dev/ubdb bs=1M status=none'), undo: wipe },
  {
    name: 'device read-only',
    make: () => sh(`umount ${point}`, 'blockdev --setro /dev/ubda', `mount -o ro,noload /dev/ubda ${point}`),
    undo: () => sh(`umount ${point}`, 'blockdev --setrw /dev/ubda', `mount ${point}`),
  },
  { name: 'not mounted', make: () => sh(`umount ${point}`), undo: () => sh(`mount ${point}`) },
  {
    name: 'mount below',
    make: () => sh(`mkdir -p ${point}/below`, `mount -t tmpfs tmpfs ${point}/below`),
    undo: () => sh(`umount ${point}/below`),
  },
  { name: 'bind mount', make: () => sh(`mount --bind ${point} ${other}`), undo: () => sh(`umount ${other}`) },
  {
    name: 'mount over it',
    make: () => sh(`mount -t tmpfs tmpfs ${point}`),
    undo: () => sh(`umount ${point}`),
    target: '/dev/ubda',
  },
  {
    name: 'swap file',
    make: () =>
      sh(
        `dd if=/dev/zero of=${swapFile} bs=1M count=8 status=none`,
        `chmod 600 ${swapFile}`,
        `mkswap ${swapFile}`,
        `swapon ${swapFile}`,
      ),
    undo: () => sh(`swapoff ${swapFile}`),
  },
  {
    name: 'loop device',
    make: () => sh(`losetup /dev/loop0 ${point}/file`),
    undo: () => sh('losetup --detach /dev/loop0'),
  },
  { name: 'current folder', make: async () => process.chdir(point), undo: async () => process.chdir('/') },
  {
    name: 'modules missing',
    make: () => sh('rmmod vfat', 'rmmod dm_crypt', 'mount -t tmpfs tmpfs /lib/modules'),
    undo: () => sh('umount /lib/modules', 'modprobe -a dm_crypt vfat'),
  },
];

for (const folder of [point, other]) mkdirSync(folder, { recursive: true });
await sh('modprobe -a md_mod raid1 xfs', `${ext4} -U ${uuid} /dev/ubda`, `mount -t ext4 -o noatime /dev/ubda ${point}`);
writeFileSync(`${point}/file`, Buffer.alloc(1024 * 1024, 'x'));
fstab();

const sights: Sight[] = [];
for (const { name, make, undo, target = point } of situations) {
  await make();
  sights.push(await look(name, target));
  await undo();
}
labResult(sights);
