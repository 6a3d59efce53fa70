import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  readonly accelerator: 'kvm' | 'tcg' | null;
  readonly dataDisks: readonly { readonly path: string; readonly sizeBytes: number; readonly serial: string }[];
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
const fillMegabytes = 200;
const cache = join(import.meta.dirname, '../../.cache');
mkdirSync(cache, { recursive: true });
const data = mkdtempSync(join(cache, 'quickstart-'));
const onServer = ['--data', data];
const onVm = ['-g', resourceGroup, '-n', vm, ...onServer];

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
      'Standard_B1ms',
      '--data-disk-sizes-gb',
      '1',
      ...onServer,
    ],
    { timeoutSeconds: 300 },
  );
  const { accelerator, dataDisks } = await kannuki<VmShow>(['vm', 'show', ...onVm]);
  const [disk] = dataDisks;
  if (disk === undefined || accelerator === null) throw new Error('the VM has no data disk or does not run');
  say(`   runs with ${accelerator}${accelerator === 'tcg' ? ', without KVM: slow' : ''}`);
  const guest = await Guest.of(resourceGroup, vm, data);
  await guest.until('systemctl is-active --quiet kannuki-agent', 600);
  await fillDisk(guest, `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${disk.serial}`, fillMegabytes);
  if (!(await diskHolds(disk.path, canary)))
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
  const during = await watch(guest);
  const encryptSeconds = (performance.now() - start) / 1000;
  const encrypted = await volume(guest);
  const [journal] = await journals(guest);
  if (journal === undefined || encrypted.secretId === null) throw new Error('the VM has no journal of its volume');
  const writtenDuring = (await filesWritten(guest)) - writtenBefore;
  say(`   ${writtenDuring} files were written meanwhile; the volume was away for ${journal.downtimeSeconds} s`);
  if (writtenDuring === 0) throw new Error('the program in the VM did not go on writing');
  await stopWriter(guest);

  say('5. Rebooted: it has to unlock by itself');
  const boot = performance.now();
  await kannuki(['vm', 'restart', ...onVm], { timeoutSeconds: 300 });
  await guest.until(`mountpoint -q ${mountPoint}`, 900);
  const bootToMountedSeconds = (performance.now() - boot) / 1000;
  const after = (await volume(guest)).state;
  say(`   ${mountPoint} is mounted again and ${after}`);

  say('6. Every file compared, and the raw disk searched');
  const { verified, damaged } = await verifyFiles(guest);
  await guest.run('sync');
  const plaintextFound = await diskHolds(disk.path, canary);
  return {
    vm,
    image,
    accelerator,
    diskBytes: disk.sizeBytes,
    filesVerified: verified,
    filesDamaged: damaged,
    downtimeSeconds: journal.downtimeSeconds,
    encryptSeconds: round(encryptSeconds),
    bytesPerSecond: Math.round(disk.sizeBytes / encryptSeconds),
    bootToMountedSeconds: round(bootToMountedSeconds),
    plaintextFound,
    secretId: encrypted.secretId,
    kekId: encrypted.kekId,
    states: { before, during, after },
  };
}

/** Shows progress until the volume is encrypted. @returns the state that was seen on the way */
async function watch(guest: Guest): Promise<string> {
  let during = 'never seen';
  const end = Date.now() + 1800 * 1000;
  while (Date.now() < end) {
    const row = await volume(guest);
    if (row.state === 'Encrypted') return during;
    if (row.state === 'EncryptionInProgress') {
      during = row.state;
      const speed =
        row.bytesPerSecond === null ? '' : `, ${(row.bytesPerSecond / 1e6).toFixed(1)} MB/s, ${row.etaSeconds} s left`;
      say(`   ${row.percent} %${speed}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('the encryption did not end within half an hour');
}

async function volume(guest: Guest): Promise<VolumeRow> {
  const rows = JSON.parse(await guest.run('kannuki disk list -o json')) as readonly VolumeRow[];
  const row = rows.find((one) => one.mountPoint === mountPoint);
  if (row === undefined) throw new Error(`${mountPoint} is not among the volumes of the VM`);
  return row;
}

async function journals(guest: Guest): Promise<readonly { readonly downtimeSeconds: number }[]> {
  const text = await guest.run('cat /var/lib/kannuki/volumes/*.json');
  return [JSON.parse(text) as { downtimeSeconds: number }];
}

async function stopAll(): Promise<void> {
  if (server !== undefined) {
    try {
      await kannuki(['vm', 'stop', ...onVm], { timeoutSeconds: 240 });
    } finally {
      await server.stop();
    }
  }
  if (!values.keep) rmSync(data, { recursive: true, force: true });
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** For people, so never on standard output. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
