import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import {
  type ChooseTuning,
  chooseTuning,
  openGuestVault,
  plainTuning,
  type Tuning,
  VolumeEngine,
} from '@kannuki/guest';
import { measure } from '@kannuki/guest/tuning/measure';
import { recordPath, type TuningRecord } from '@kannuki/guest/tuning/record';
import { clearStand } from '@kannuki/guest/tuning/stand';
import { releasePassphrase } from '@kannuki/keyvault';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult } from '../inside.ts';

/** Inside a lab machine: the measurement, whole, cut short and killed; then volumes with a tuning of the test's choice. */
export interface TuningInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
}

export interface TuningResult {
  readonly record: TuningRecord;
  readonly sameAgain: boolean;
  readonly measuredAgainFor: { readonly otherKernel: boolean; readonly damagedFile: boolean };
  readonly roundsOfNoTime: number;
  /** Mappings of the measurement that are there afterwards. */
  readonly left: {
    readonly afterWhole: readonly string[];
    readonly whileRunning: readonly string[];
    readonly afterKill: readonly string[];
    readonly stale: readonly string[];
    readonly afterNext: readonly string[];
  };
  readonly volumes: readonly TunedVolume[];
}

export interface TunedVolume {
  readonly tuning: Tuning;
  readonly storedFlags: readonly string[];
  readonly keyslotCipher: string;
  /** Words of the crypt target's table: live at the end, then opened again by stock cryptsetup and by systemd-cryptsetup. */
  readonly tables: Readonly<Record<'live' | 'cryptsetup' | 'systemd', readonly string[]>>;
  readonly fileIsWhole: boolean;
  readonly findings: readonly string[];
}

const input = await labInput<TuningInput>();
await attachPartitions(input.vm, false);
await makeFileSystems('ext4');
await bootState();
/** However busy the host is, three rounds come together. */
const bounds = { rounds: 3, sliceMilliseconds: 5, limitMilliseconds: 100_000 };
const paths = { state: '/var/lib/kannuki', runtime: '/run/kannuki' };

const adiantum = plainTuning(4096, 'xchacha20,aes-adiantum-plain64');
const measured = await measurement();
const left = await killedMeasurement(measured.afterWhole);
const both = { noReadWorkqueue: true, noWriteWorkqueue: true };
const volumes = [
  await tunedVolume({ ...plainTuning(4096), ...both }),
  await tunedVolume({ ...adiantum, noWriteWorkqueue: true }),
];
labResult({ ...measured, left, volumes } satisfies TuningResult);

async function measurement(): Promise<Omit<TuningResult, 'left' | 'volumes'> & { readonly afterWhole: string[] }> {
  const device = { kernelName: 'ubda', parents: [], path: dataDevice, fileSystem: null, sizeBytes: 1024 ** 3 };
  const recordText = (): string => readFileSync(recordPath(paths), 'utf8');
  const first = await chooseTuning(device, { run, paths, bounds });
  const text = recordText();
  const afterWhole = await measureMappings();
  const second = await chooseTuning(device, { run, paths, bounds });
  const sameAgain = recordText() === text && JSON.stringify(first) === JSON.stringify(second);
  const record = JSON.parse(text) as TuningRecord;
  const isMeasuredAfter = async (content: string): Promise<boolean> => {
    writeFileSync(recordPath(paths), content);
    await chooseTuning(device, { run, paths, bounds });
    return recordText() !== content;
  };
  const otherKernel = await isMeasuredAfter(text.replace(record.measuredOn.kernel, '5.4.0'));
  const damagedFile = await isMeasuredAfter(text.slice(0, text.length / 2));
  const { tunings } = await measure(run, [plainTuning(512), adiantum], {
    rounds: 5,
    sliceMilliseconds: 5,
    limitMilliseconds: 0,
  });
  const roundsOfNoTime = tunings[0]?.speeds['random read'].length ?? -1;
  return { record, sameAgain, measuredAgainFor: { otherKernel, damagedFile }, roundsOfNoTime, afterWhole };
}

async function killedMeasurement(afterWhole: readonly string[]): Promise<TuningResult['left']> {
  const child = spawn(process.execPath, ['/mnt/lab/measure.mjs'], { stdio: 'inherit' });
  const ended = once(child, 'exit');
  // Measuring, and all mappings told to go with it.
  await until(async () => (await measureMappings()).length === 3 && (await deferred()) === 3);
  const whileRunning = await measureMappings();
  child.kill('SIGKILL');
  await ended;
  await until(async () => (await measureMappings()).length === 0);
  const afterKill = await measureMappings();

  // Killed between making and telling: by hand, since no test would hit it.
  const sectors = 1024 * 1024;
  const uuid = (name: string): string[] => ['--uuid', `KANNUKI-MEASURE-${name}`];
  for (const [name, table] of [
    ['kannuki-measure-zero', `0 ${sectors} zero`],
    ['kannuki-measure-0', `0 ${sectors} linear /dev/mapper/kannuki-measure-zero 0`],
  ] as const) {
    await run('dmsetup', ['create', name, ...uuid(name), '--table', table]);
    await run('dmsetup', ['mknodes']);
  }
  const stale = await measureMappings();
  await clearStand(run);
  return { afterWhole, whileRunning, afterKill, stale, afterNext: await measureMappings() };
}

async function tunedVolume(tuning: Tuning): Promise<TunedVolume> {
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', dataDevice]);
  await run('sh', ['-c', ': >/etc/fstab']);
  await enterDataInFstab('ext4');
  const content = `tuned ${JSON.stringify(tuning)}`.repeat(5000);
  writeFileSync(`${dataMountPoint}/file`, content);
  await run('sync', []);
  await using vault = await openGuestVault(input.vaultUrl);
  const findings: string[] = [];
  const fixed: ChooseTuning = async () => ({ tuning, findings: [] });
  const engine = new VolumeEngine({
    chooseTuning: fixed,
    onEvent: (event) => {
      if (event.kind === 'finding') findings.push(event.finding.message.en);
    },
  });
  const journal = await engine.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
  const { name, passphrase } = journal;
  const header = `/var/lib/kannuki/headers/${name}.luks`;
  const { stdout } = await run('cryptsetup', ['luksDump', '--dump-json-metadata', header]);
  const metadata = JSON.parse(stdout) as {
    readonly config: { readonly flags?: readonly string[] };
    readonly keyslots: Readonly<Record<string, { readonly area: { readonly encryption: string } }>>;
  };
  const live = await tableOf(name);
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', name]);
  if (passphrase === null) throw new Error('no passphrase');
  using secret = await releasePassphrase(vault, passphrase);
  await run('cryptsetup', ['open', '--key-file=-', `--header=${header}`, dataDevice, name], { input: secret });
  await run('dmsetup', ['mknodes']);
  const stock = await tableOf(name);
  await run('mount', [`/dev/mapper/${name}`, dataMountPoint]);
  const fileIsWhole = readFileSync(`${dataMountPoint}/file`, 'utf8') === content;
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', name]);
  writeFileSync('/run/volume-key-file', secret.bytes, { mode: 0o600 });
  const options = `luks,header=${header},headless=true`;
  await run('/lib/systemd/systemd-cryptsetup', ['attach', name, dataDevice, '/run/volume-key-file', options]);
  const systemd = await tableOf(name);
  await run('cryptsetup', ['close', name]);
  await run('rm', ['-rf', '/var/lib/kannuki', '/etc/kannuki', '/etc/crypttab', '/etc/fstab.azure.backup']);
  return {
    tuning,
    storedFlags: metadata.config.flags ?? [],
    keyslotCipher: metadata.keyslots['0']?.area.encryption ?? '',
    tables: { live, cryptsetup: stock, systemd },
    fileIsWhole,
    findings,
  };
}

/** dmsetup(8) writes the kernel's own table, which is a documented format: DOC/admin-guide/device-mapper/dm-crypt.rst. */
async function tableOf(name: string): Promise<readonly string[]> {
  return (await run('dmsetup', ['table', name])).stdout.trim().split(' ');
}

async function measureMappings(): Promise<string[]> {
  const { stdout } = await run('dmsetup', ['info', '--columns', '--noheadings', '--options', 'name']);
  return stdout.split('\n').filter((name) => name.startsWith('kannuki-measure-'));
}

/** There is no column for it: only the form for people says that a mapping is to go with its last user. */
async function deferred(): Promise<number> {
  return (await run('dmsetup', ['info'])).stdout.match(/DEFERRED REMOVE/g)?.length ?? 0;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain; there are ${(await measureMappings()).join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
