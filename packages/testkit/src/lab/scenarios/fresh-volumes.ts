import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import {
  type Encryption,
  endRandomKey,
  formatting,
  noVault,
  openGuestVault,
  VolumeEngine,
  withRandomKey,
} from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import { diskHash } from '../disk-hash.ts';
import { labDisks, labInput, labResult, labTell } from '../inside.ts';
import { type Answer, kannuki } from './command-line/kannuki.ts';

/** Inside a lab machine: volumes that begin empty, as a user makes them with the program, and what is refused. */
export interface FreshInput {
  readonly vaultUrl: string;
  /** Names of the cases to run. Those of one list build on one another. */
  readonly cases: readonly string[];
}

const canary = 'OLD-PLAINTEXT-8d21';
const input = await labInput<FreshInput>();
const [data = '', second = '', blank = '', strange = '', swap = '', temporary = ''] = labDisks();
/** What is written to a disk after it was mounted was written by someone. */
const noLazyWork = ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
const result: Record<string, unknown> = {};

function answerOf({ exitCode, errorCode, findings, stdout, stderr }: Answer) {
  const refusals = findings.filter(({ severity }) => severity === 'refuse').map(({ rule }) => rule);
  const told = exitCode === 0 ? null : `${stdout}\n${stderr}`.slice(-1500);
  return { exitCode, errorCode, refusals, told };
}

/** By the program, as a user does it. The vault is in the hands of one process at a time. */
async function command(...words: string[]) {
  await guestVault[Symbol.asyncDispose]();
  const answer = await kannuki('disk', 'encrypt', ...words, '--vault', input.vaultUrl, '-o', 'json');
  guestVault = await openGuestVault(input.vaultUrl);
  return answerOf(answer);
}

/** By the engine: starting the program costs more than what it does here. */
async function encrypt(target: string, way: Encryption, vault: VaultPort = guestVault) {
  try {
    const { step } = await engine.encrypt(target, { vault, kekId: null, stopServices: false }, way);
    return { exitCode: step === 'finished' ? 0 : 1, errorCode: null, refusals: [], told: null };
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    const refusals = error.findings.filter(({ severity }) => severity === 'refuse').map(({ rule }) => rule);
    return {
      exitCode: error.exitCode,
      errorCode: error.code,
      refusals,
      told: `${error.message} ${JSON.stringify(error.findings)}`,
    };
  }
}

const toMount = (mountPoint: string, fileSystem: 'ext4' | 'xfs' = 'ext4') =>
  formatting({ confirmed: [], wipe: true, blank: { mountPoint, fileSystem } });

async function uuidOf(device: string): Promise<string> {
  return (await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'UUID', device])).stdout.trim();
}

async function makeVolume(device: string, point: string, label: string): Promise<void> {
  await run('mkfs.ext4', [...noLazyWork, '-L', label, device]);
  mkdirSync(point, { recursive: true });
  appendFileSync('/etc/fstab', `UUID=${await uuidOf(device)} ${point} ext4 defaults,nofail 0 2\n`);
  // So that looking into a folder writes nothing.
  await run('mount', ['-t', 'ext4', '-o', 'noatime', device, point]);
}

function fill(point: string): void {
  writeFileSync(`${point}/old`, `${canary}\n`.repeat(200_000));
}

async function holdsCanary(device: string): Promise<boolean> {
  const { exitCode } = await run('grep', ['--quiet', '--text', '--fixed-strings', canary, device], {
    accept: [0, 1],
    timeoutSeconds: 120,
  });
  return exitCode === 0;
}

const engine = new VolumeEngine();
let guestVault = await openGuestVault(input.vaultUrl);
const list = async () =>
  (await engine.list()).map(({ name, device, mountPoint, state, fileSystem, keySource }) => ({
    name,
    device,
    mountPoint,
    state,
    fileSystem,
    keySource,
  }));

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  if (!input.cases.includes(name)) return;
  result[name] = await work();
  // What has come out by then is half of the story of a machine that does not end.
  labTell(JSON.stringify({ [name]: result[name] }));
}

// A named volume that holds files.
await makeVolume(data, '/srv/data0', 'mydata');
fill('/srv/data0');
chmodSync('/srv/data0', 0o2750);
await run('sync', []);
await step('notConfirmed', async () => {
  const before = await diskHash(data);
  const answer = await encrypt('/srv/data0', formatting({ confirmed: [], wipe: true }));
  return { ...answer, isUnchanged: (await diskHash(data)) === before };
});
await step('formatted', async () => {
  const oldUuid = await uuidOf(data);
  const answer = await command('/srv/data0', '--format', '--yes');
  if (answer.exitCode !== 0) return answer;
  writeFileSync('/srv/data0/new', 'new');
  const mapper = '/dev/mapper/kn_srv_data0';
  const { stdout: label } = await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'LABEL', mapper]);
  await run('umount', ['/srv/data0']);
  await run('cryptsetup', ['close', 'kn_srv_data0']);
  const locked = await list();
  const plaintextFound = await holdsCanary(data);
  const problems = await engine.unlock(() => guestVault);
  return {
    ...answer,
    problems,
    hasNewUuid: (await uuidOf(mapper)) !== oldUuid,
    label: label.trim(),
    plaintextFound,
    locked: locked.find(({ name }) => name === 'kn_srv_data0')?.state,
    isLuks: (await run('cryptsetup', ['isLuks', '--type', 'luks2', data], { accept: [0, 1] })).exitCode === 0,
    newFile: readFileSync('/srv/data0/new', 'utf8'),
    oldFileIsGone: !existsSync('/srv/data0/old'),
    mode: (await run('stat', ['--format', '%a', '/srv/data0'])).stdout.trim(),
    volume: (await list()).find(({ mountPoint }) => mountPoint === '/srv/data0'),
    testUnlock: (await engine.testUnlock(() => guestVault, ['/srv/data0'])).map(({ opens }) => opens),
    recovery: (await engine.recoverySteps('/srv/data0')).map(({ command }) => command).join('\n'),
    fstab: readFileSync('/etc/fstab', 'utf8'),
    crypttab: readFileSync('/etc/crypttab', 'utf8'),
    headerFileIsGone: !existsSync('/var/lib/kannuki/headers/kn_srv_data0.luks'),
  };
});
await step('again', () => encrypt('/srv/data0', formatting({ confirmed: [], wipe: true })));

// All data volumes, and the same request again when a disk has come.
await step('all', async () => {
  await makeVolume(second, '/srv/data1', '');
  fill('/srv/data1');
  return await command('--format', '--volume-type', 'DATA', '--yes', '--keep-old-blocks');
});
await step('allAgain', async () => {
  await makeVolume(strange, '/srv/late', '');
  fill('/srv/late');
  await run('sync', []);
  const before = await diskHash(strange);
  const answer = await command('--format', '--volume-type', 'DATA', '--yes');
  return { ...answer, isUnchanged: (await diskHash(strange)) === before };
});
await step('allAgainEmpty', async () => {
  await run('rm', ['/srv/late/old']);
  const answer = await command('--format', '--volume-type', 'DATA');
  return { ...answer, volume: (await list()).find(({ mountPoint }) => mountPoint === '/srv/late')?.state };
});

// Disks without a file system.
await step('notBlank', async () => {
  const attempts: object[] = [];
  for (const trace of ['table', 'data-in-the-middle', 'signature']) {
    await run('wipefs', ['--all', '--quiet', blank]);
    await run('dd', ['if=/dev/zero', `of=${blank}`, 'bs=4M', 'count=90', 'conv=fsync', 'status=none']);
    if (trace === 'table') await run('sfdisk', ['--quiet', blank], { input: Buffer.from('label: gpt\n') });
    if (trace === 'signature') await run('mkswap', ['--quiet', blank]);
    if (trace === 'data-in-the-middle') {
      await run('dd', ['if=/dev/urandom', `of=${blank}`, 'bs=1M', 'seek=40', 'count=4', 'conv=fsync', 'status=none']);
    }
    const before = await diskHash(blank);
    const answer = await encrypt(blank, toMount('/srv/fresh'));
    attempts.push({ trace, ...answer, isUnchanged: (await diskHash(blank)) === before });
  }
  await run('wipefs', ['--all', '--quiet', blank]);
  await run('dd', ['if=/dev/zero', `of=${blank}`, 'bs=4M', 'count=90', 'conv=fsync', 'status=none']);
  return attempts;
});
await step('badPoint', async () => [
  await encrypt(blank, toMount('/usr/share')),
  await encrypt(blank, toMount('/srv/data0/inside')),
]);
await step('blank', async () => {
  const answer = await encrypt(blank, toMount('/srv/fresh', 'xfs'));
  return {
    ...answer,
    volume: (await list()).find(({ mountPoint }) => mountPoint === '/srv/fresh'),
    mounts: readFileSync('/etc/kannuki/mounts', 'utf8'),
  };
});

// Swap space.
await step('swap', async () => {
  await run('mkswap', ['--quiet', '--label', 'theswap', swap]);
  const uuid = await uuidOf(swap);
  const fstab = readFileSync('/etc/fstab', 'utf8');
  appendFileSync('/etc/fstab', `UUID=${uuid} none swap sw,pri=5 0 0\n`);
  const withLine = readFileSync('/etc/fstab', 'utf8');
  await run('swapon', ['-p', '5', swap]);
  const answer = await encrypt(swap, withRandomKey({ mayLoseFiles: false }), noVault);
  const name = `kn_swap_${uuid.replaceAll('-', '').slice(0, 8)}`;
  if (answer.exitCode !== 0) return answer;
  const encrypted = {
    swaps: readFileSync('/proc/swaps', 'utf8'),
    mark: await uuidOf(swap),
    crypttab: readFileSync('/etc/crypttab', 'utf8')
      .split('\n')
      .find((line) => line.startsWith(name)),
    fstabHasLine: readFileSync('/etc/fstab', 'utf8').split('\n').includes(`UUID=${uuid} none swap sw,pri=5 0 0`),
    unit: readFileSync(`/etc/systemd/system/dev-mapper-${name}.swap`, 'utf8'),
    volume: (await list()).find((volume) => volume.name === name),
  };
  await engine.operate(swap, endRandomKey, () => noVault);
  return {
    ...answer,
    ...encrypted,
    back: {
      isSameUuid: (await uuidOf(swap)) === uuid,
      label: (await run('blkid', ['-p', '-o', 'value', '-s', 'LABEL', swap])).stdout.trim(),
      swaps: readFileSync('/proc/swaps', 'utf8'),
      isSameFstab: readFileSync('/etc/fstab', 'utf8') === withLine && withLine.startsWith(fstab),
      crypttabHasLine: readFileSync('/etc/crypttab', 'utf8').includes(name),
      unitIsGone: !existsSync(`/etc/systemd/system/dev-mapper-${name}.swap`),
      volume: (await list()).find((volume) => volume.device === swap),
    },
  };
});
await step('swapWithoutUse', async () => {
  await run('swapoff', [swap]);
  writeFileSync('/etc/fstab', readFileSync('/etc/fstab', 'utf8').replace(/^.*none swap.*\n/m, ''));
  const before = await diskHash(swap);
  return {
    ...(await encrypt(swap, withRandomKey({ mayLoseFiles: false }), noVault)),
    isUnchanged: (await diskHash(swap)) === before,
  };
});

// The temporary disk, as cloud-init mounts it.
await step('temporary', async () => {
  const link = '/dev/disk/cloud/azure_resource';
  mkdirSync('/dev/disk/cloud', { recursive: true });
  symlinkSync(temporary, link);
  await run('mkfs.ext4', [...noLazyWork, temporary]);
  mkdirSync('/mnt/resource');
  appendFileSync(
    '/etc/fstab',
    `${link} /mnt/resource auto defaults,nofail,x-systemd.requires=cloud-init.service,_netdev,comment=cloudconfig 0 2\n`,
  );
  await run('mount', ['-o', 'noatime', temporary, '/mnt/resource']);
  fill('/mnt/resource');
  await run('sync', []);
  const before = await diskHash(temporary);
  const refused = {
    ...(await encrypt('/mnt/resource', withRandomKey({ mayLoseFiles: false }), noVault)),
    isUnchanged: (await diskHash(temporary)) === before,
  };
  // The VM is switched off in the middle of it, and comes back with another temporary disk, of another size.
  const stop = new AbortController();
  const stopping = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind === 'step' && event.step === 'let-go') stop.abort();
    },
  });
  const request = { vault: noVault, kekId: null, stopServices: false, signal: stop.signal };
  const stopped = await stopping
    .encrypt('/mnt/resource', request, withRandomKey({ mayLoseFiles: true }))
    .catch((error: unknown) => (error instanceof Error ? error.name : String(error)));
  rmSync(link);
  symlinkSync(swap, link);
  const failures = await engine.resume(() => noVault);
  return {
    stopped,
    failures: failures.map(({ error }) => String(error)),
    refused,
    volume: (await list()).find(({ mountPoint }) => mountPoint === '/mnt/resource'),
    crypttab: readFileSync('/etc/crypttab', 'utf8')
      .split('\n')
      .find((line) => line.startsWith('resourceencrypt')),
    mounts: readFileSync('/etc/kannuki/mounts', 'utf8')
      .split('\n')
      .find((line) => line.includes('resourceencrypt')),
    oldFileIsGone: !existsSync('/mnt/resource/old'),
  };
});
labResult(result);
