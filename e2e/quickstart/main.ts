import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Guest } from './guest.ts';
import { kannuki, type RunningServer, startServer } from './kannuki.ts';
import { diskHolds } from './raw-disk.ts';
import { canary, filesWritten, fillDisk, mountPoint, startWriter, stopWriter, verifyFiles } from './workload.ts';

/** The last line of `./quickstart.sh --json`; users' scripts read exactly these keys. */
interface Report {
  readonly vm: string;
  readonly image: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly diskBytes: number;
  readonly filesVerified: number;
  readonly filesDamaged: number;
  readonly downtimeSeconds: number;
  readonly encryptSeconds: number;
  readonly bytesPerSecond: number;
  readonly bootToMountedSeconds: number;
  readonly plaintextFound: boolean;
  readonly secretId: string;
  readonly kekId: string | null;
  readonly states: { readonly before: string; readonly during: string; readonly after: string };
}

interface VmShow {
  readonly kannuki: {
    readonly hostName: string;
    readonly accelerator: 'kvm' | 'tcg' | null;
    readonly downtimeSeconds: number | null;
    /** As the agent has last reported them. */
    readonly volumes: readonly VolumeRow[];
  };
}

interface VolumeRow {
  readonly mountPoint: string | null;
  readonly state: string;
  readonly percent: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly secretId: string | null;
  readonly kekId: string | null;
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});
const resourceGroup = 'quickstart';
const vm = 'vm1';
const image = 'Debian:debian-12:12:latest';
const diskGb = 1;
const diskBytes = diskGb * 1024 ** 3;
const fillMegabytes = 200;
const cache = join(import.meta.dirname, '../../.cache');
mkdirSync(cache, { recursive: true });
const data = mkdtempSync(join(cache, 'quickstart-'));
const onServer = ['--data', data];
const onVm = ['-g', resourceGroup, '-n', vm, ...onServer];

/** Packages and images of an earlier run save minutes; everything else of it is gone. */
const keptImages = join(cache, 'quickstart-images');
const images = join(data, 'host', 'images');

let server: RunningServer | undefined;
try {
  const report = await quickstart();
  const isGood =
    report.filesDamaged === 0 &&
    !report.plaintextFound &&
    report.states.before === 'NotEncrypted' &&
    report.states.during === 'EncryptionInProgress' &&
    report.states.after === 'Encrypted';
  say(isGood ? 'Done: all files are intact, and the raw disk shows nothing of them.' : 'FAILED: see the report.');
  process.stdout.write(`${JSON.stringify(report, null, values.json ? 0 : 2)}\n`);
  process.exitCode = isGood ? 0 : 1;
} finally {
  await stopAll();
}

async function quickstart(): Promise<Report> {
  if (existsSync(keptImages)) {
    mkdirSync(join(data, 'host'), { mode: 0o700 });
    renameSync(keptImages, images);
  }
  const config = join(data, 'kannuki.toml');
  writeFileSync(
    config,
    `regions = ["lab"]\n\n[[images]]\nurn = "${image}"\nvolumes = "data-only"\nreason = "built by the quickstart itself"\n`,
  );
  say('1. A server with its embedded vault');
  server = await startServer([...onServer, '--listen', '0.0.0.0:0', '--config', config], 60);
  say(`   serves at ${server.url}`);
  await kannuki([
    'keyvault',
    'create',
    '-n',
    'kv1',
    '-g',
    resourceGroup,
    '-l',
    'lab',
    '--enabled-for-disk-encryption',
    ...onServer,
  ]);
  await kannuki([
    'keyvault',
    'key',
    'create',
    '--vault-name',
    'kv1',
    '-n',
    'kek1',
    '--kty',
    'RSA',
    '--size',
    '2048',
    ...onServer,
  ]);

  say('2. A small VM image of Debian 12 (some minutes the first time)');
  await kannuki(['image', 'build', 'debian-12', ...onServer], { timeoutSeconds: 1500, onPeopleLine: say });

  say('3. A VM with one data disk, full of files');
  await kannuki(
    [
      'vm',
      'create',
      '-g',
      resourceGroup,
      '-n',
      vm,
      '-l',
      'lab',
      '--image',
      image,
      '--size',
      'Standard_B2s',
      '--data-disk-sizes-gb',
      String(diskGb),
      ...onServer,
    ],
    { timeoutSeconds: 300 },
  );
  const { hostName, accelerator } = (await kannuki<VmShow>(['vm', 'show', ...onVm])).kannuki;
  if (accelerator === null) throw new Error('the VM does not run');
  const rawDisk = rawDiskOf(hostName);
  say(`   runs with ${accelerator}${accelerator === 'tcg' ? ', without KVM: slow' : ''}`);
  const guest = new Guest(onVm);
  await untilUp(guest, accelerator, 'systemctl is-active --quiet kannuki-agent');
  await fillDisk(guest, `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_data0`, fillMegabytes);
  if (!(await diskHolds(rawDisk, canary)))
    throw new Error('the plain disk does not show its files: the later search would prove nothing');
  await startWriter(guest);
  const before = (await volume(guest)).state;
  say(`   ${mountPoint} is ${before}, and a program in the VM writes to it`);

  say('4. Encrypted in place, while the program goes on writing');
  const writtenBefore = await filesWritten(guest);
  const start = performance.now();
  await kannuki([
    'vm',
    'encryption',
    'enable',
    ...onVm,
    '--disk-encryption-keyvault',
    'kv1',
    '--key-encryption-key',
    'kek1',
    '--volume-type',
    'DATA',
    '--stop-services',
  ]);
  const during = await watch();
  const encryptSeconds = (performance.now() - start) / 1000;
  const encrypted = await volume(guest);
  const { downtimeSeconds } = (await kannuki<VmShow>(['vm', 'show', ...onVm])).kannuki;
  if (downtimeSeconds === null || encrypted.secretId === null)
    throw new Error('the server knows nothing of the encryption');
  const writtenDuring = (await filesWritten(guest)) - writtenBefore;
  say(`   ${writtenDuring} files were written meanwhile; the volume was away for ${downtimeSeconds} s`);
  if (writtenDuring === 0) throw new Error('the program in the VM did not go on writing');
  await stopWriter(guest);

  say('5. Rebooted: it has to unlock by itself');
  const boot = performance.now();
  await kannuki(['vm', 'restart', ...onVm], { timeoutSeconds: 300 });
  const stopSeconds = (performance.now() - boot) / 1000;
  const bootToMountedSeconds = stopSeconds + (await untilUp(guest, accelerator, `mountpoint -q ${mountPoint}`));
  const after = (await volume(guest)).state;
  say(`   ${mountPoint} is mounted again and ${after}`);

  say('6. Every file compared, and the raw disk searched');
  const { verified, damaged } = await verifyFiles(guest);
  await guest.run('sync');
  const plaintextFound = await diskHolds(rawDisk, canary);
  return {
    vm,
    image,
    accelerator,
    diskBytes: diskBytes,
    filesVerified: verified,
    filesDamaged: damaged,
    downtimeSeconds,
    encryptSeconds: round(encryptSeconds),
    bytesPerSecond: Math.round(diskBytes / encryptSeconds),
    bootToMountedSeconds: round(bootToMountedSeconds),
    plaintextFound,
    secretId: encrypted.secretId,
    kekId: encrypted.kekId,
    states: { before, during, after },
  };
}

/**
 * Waits until a VM that was just started is up. A kernel in QEMU without KVM hangs now and then in the first two seconds of
 * its boot, before anything of ours runs: then it is restarted, twice at most, and that is said.
 * @param sign a command that succeeds in a VM that is up
 * @returns seconds of the start that came up
 */
async function untilUp(guest: Guest, accelerator: Report['accelerator'], sign: string): Promise<number> {
  const attempts = accelerator === 'kvm' ? 1 : 3;
  for (let attempt = 1; ; attempt++) {
    const boot = performance.now();
    if (attempt > 1) await kannuki(['vm', 'restart', ...onVm], { timeoutSeconds: 300 });
    try {
      await guest.until(sign, accelerator === 'kvm' ? 600 : 240);
      return (performance.now() - boot) / 1000;
    } catch (error) {
      if (attempt === attempts) throw error;
      say('   the emulated VM did not come up; restarted once more');
    }
  }
}

/** Shows the progress that the agent reports, until the volume is encrypted. @returns the state that was seen on the way */
async function watch(): Promise<string> {
  let during = 'never seen';
  const end = Date.now() + 1800 * 1000;
  while (Date.now() < end) {
    const { volumes } = (await kannuki<VmShow>(['vm', 'show', ...onVm])).kannuki;
    // For the moment of the downtime there is no volume at the mount point.
    const row = volumes.find((one) => one.mountPoint === mountPoint);
    if (row?.state === 'Encrypted') return during;
    if (row?.state === 'EncryptionInProgress') {
      during = row.state;
      const speed =
        row.bytesPerSecond === null ? '' : `, ${(row.bytesPerSecond / 1e6).toFixed(1)} MB/s, ${row.etaSeconds} s left`;
      say(`   ${row.percent} %${speed}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  throw new Error('the encryption did not end within half an hour');
}

async function volume(guest: Guest): Promise<VolumeRow> {
  const rows = JSON.parse(await guest.run('kannuki disk list -o json')) as readonly VolumeRow[];
  const row = rows.find((one) => one.mountPoint === mountPoint);
  if (row === undefined) throw new Error(`${mountPoint} is not among the volumes of the VM`);
  return row;
}

/** The disk as a thief of it would have it. */
function rawDiskOf(hostName: string): string {
  const disk = globSync(`${data}/**/vms/${hostName}/*data0*`).find((path) => statSync(path).size === diskBytes);
  if (disk === undefined) throw new Error(`no data disk of ${hostName} below ${data}`);
  return disk;
}

async function stopAll(): Promise<void> {
  if (server !== undefined) {
    try {
      await kannuki(['vm', 'stop', ...onVm], { timeoutSeconds: 240 });
    } finally {
      await server.stop();
    }
  }
  if (values.keep) return;
  if (existsSync(images)) renameSync(images, keptImages);
  rmSync(data, { recursive: true, force: true });
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** For people, so never on standard output. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
