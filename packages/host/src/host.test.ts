import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import { Host } from './host.ts';
import type { VmEvent } from './port.ts';
import { blankImage, makeDataDirectory, removeDataDirectory } from './testing/blank-image.ts';

// Real QEMU processes, but no system in them: what the VM itself sees is tested in testkit, with a real boot.

let dataDirectory: string;
let host: Host;

before(async () => {
  dataDirectory = await makeDataDirectory();
  host = new Host({ dataDirectory, accelerator: 'tcg' });
});

after(async () => {
  await removeDataDirectory(dataDirectory);
});

async function makeVm(name: string, disks = 0): Promise<void> {
  const dataDisks = Array.from({ length: disks }, () => ({ sizeBytes: 8 * 1024 * 1024 }));
  await host.createVm({ name, image: blankImage, memoryMiB: 128, cpus: 1, dataDisks });
}

/** A volume that can be found again wherever a copy of it is. */
function marked(sectors = 128): SecretBytes {
  return SecretBytes.take(
    Buffer.from('MARKED-KEY-VOLUME!!!'.repeat(Math.ceil((sectors * 512) / 20))).subarray(0, sectors * 512),
  );
}

/** Content of the memory that a machine has for its key volume. */
function keyMemory(pid: number): Buffer {
  return readFileSync(`/proc/${pid}/fd/3`);
}

/** Length of each piece of shared memory that a machine has open. QEMU opens and closes descriptors as it runs. */
async function memoryContents(pid: number): Promise<number[]> {
  const lengths: number[] = [];
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    const path = `/proc/${pid}/fd/${descriptor}`;
    try {
      if (readlinkSync(path).startsWith('/dev/shm/')) lengths.push(readFileSync(path).length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return lengths;
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`not within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a machine is created, started, seen, reset, powered off and deleted', async () => {
  await makeVm('life', 2);
  assert.deepEqual(
    (await host.describeVm('life')).dataDisks.map(({ serial, lun, sizeBytes }) => ({ serial, lun, sizeBytes })),
    [
      { serial: 'data0', lun: 0, sizeBytes: 8 * 1024 * 1024 },
      { serial: 'data1', lun: 1, sizeBytes: 8 * 1024 * 1024 },
    ],
  );
  assert.equal((await host.status('life')).power, 'stopped');

  const started = await host.start('life');
  assert.equal(started.power, 'running');
  assert.equal(started.accelerator, 'tcg');
  assert.equal(started.keyVolumeAttached, false);
  await assert.rejects(host.start('life'), (error) => hasCode(error, 'KNK-HST-0004'));

  await host.reset('life');
  assert.equal((await host.status('life')).processId, started.processId);

  await host.powerOff('life');
  assert.equal((await host.status('life')).power, 'stopped');
  await assert.rejects(host.reset('life'), (error) => hasCode(error, 'KNK-HST-0005'));

  await host.deleteVm('life');
  await assert.rejects(host.status('life'), (error) => hasCode(error, 'KNK-HST-0001'));
  assert.equal(existsSync(join(dataDirectory, 'vms', 'life')), false);
});

test('a VM that does not hear the power button is switched off when its time is over', async () => {
  await makeVm('deaf');
  await host.start('deaf');
  const before = Date.now();
  assert.equal(await host.stop('deaf', { timeoutSeconds: 1 }), 'forced');
  assert.ok(Date.now() - before < 10_000);
  assert.equal((await host.status('deaf')).power, 'stopped');
  assert.equal(await host.stop('deaf'), 'graceful', 'stopping what is stopped is no failure');
});

test('the key volume is only in memory: attached, read back, detached, wiped', async () => {
  await makeVm('keys');
  using volume = marked();
  const { processId } = await host.start('keys', { keyVolume: volume });
  assert.ok(processId);
  assert.equal((await host.status('keys')).keyVolumeAttached, true);
  assert.match(readlinkSync(`/proc/${processId}/fd/3`), /^\/dev\/shm\/#\d+ \(deleted\)$/);
  assert.deepEqual(keyMemory(processId), Buffer.from(volume.bytes));
  await assert.rejects(host.attachKeyVolume('keys', volume), (error) => hasCode(error, 'KNK-HST-0013'));

  // Whoever still has the memory open sees nothing of the key after the detach.
  const memory = openSync(`/proc/${processId}/fd/3`, 'r');
  await host.detachKeyVolume('keys');
  assert.equal((await host.status('keys')).keyVolumeAttached, false);
  assert.equal(readFileSync(memory).length, 0);
  await host.detachKeyVolume('keys');

  using smaller = marked(16);
  await host.attachKeyVolume('keys', smaller);
  assert.deepEqual(keyMemory(processId), Buffer.from(smaller.bytes));

  const folder = join(dataDirectory, 'vms', 'keys');
  for (const name of await readdir(folder)) {
    if (!statSync(join(folder, name)).isFile()) continue;
    assert.equal((await readFile(join(folder, name))).includes('MARKED-KEY'), false, `the key is in ${name}`);
  }
  assert.equal(readFileSync(`/proc/${processId}/cmdline`).includes('MARKED-KEY'), false);
  assert.equal(readFileSync(`/proc/${processId}/environ`).includes('MARKED-KEY'), false);
  await host.powerOff('keys');
  await host.detachKeyVolume('keys');
});

test('a key volume of a strange size is refused and no machine is left behind', async () => {
  await makeVm('odd');
  using odd = SecretBytes.random(513);
  await assert.rejects(host.start('odd', { keyVolume: odd }), (error) => hasCode(error, 'KNK-HST-0011'));
  assert.equal((await host.status('odd')).power, 'stopped');
});

test('one-time values reach QEMU and no disk', async () => {
  await makeVm('told');
  const { processId } = await host.start('told', { provision: { 'join-token': 'MARKED-TOKEN' } });
  assert.ok(processId);
  const lengths = await memoryContents(processId);
  assert.ok(lengths.length > 0);
  assert.ok(
    lengths.every((length) => length === 0),
    'read by QEMU, so it is wiped',
  );
  const folder = join(dataDirectory, 'vms', 'told');
  for (const name of await readdir(folder)) {
    if (!statSync(join(folder, name)).isFile()) continue;
    assert.equal((await readFile(join(folder, name))).includes('MARKED-TOKEN'), false, `the token is in ${name}`);
  }
  assert.equal(readFileSync(`/proc/${processId}/cmdline`).includes('MARKED-TOKEN'), false);
  await host.powerOff('told');
});

test('machines go on without the process that started them, and another process finds and rules them', async () => {
  await makeVm('orphan', 1);
  const script = join(import.meta.dirname, 'testing', 'start-and-wait.ts');
  const server = spawn(process.execPath, [script, dataDirectory, 'orphan'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  server.kill('SIGKILL');
  await once(server, 'close');

  const next = new Host({ dataDirectory, accelerator: 'tcg' });
  const status = await next.status('orphan');
  assert.equal(status.power, 'running');
  assert.equal(status.processId, Number(line.toString()));
  using volume = marked();
  await next.attachKeyVolume('orphan', volume);
  assert.equal((await next.status('orphan')).keyVolumeAttached, true);
  await next.detachKeyVolume('orphan');

  const events: VmEvent[] = [];
  using _watching = await next.watch((event) => events.push(event));
  await next.reset('orphan');
  await eventually('the reset is told', () => events.some(({ kind }) => kind === 'reset'));
  await next.powerOff('orphan');
  await eventually('the end is told', () => events.some(({ kind }) => kind === 'stopped'));
});

test('a process id that belongs to somebody else now is never touched', async () => {
  await makeVm('reused');
  const bystander = spawn('sleep', ['60']);
  await once(bystander, 'spawn');
  writeFileSync(join(dataDirectory, 'vms', 'reused', 'qemu.pid'), `${bystander.pid}\n`);
  writeFileSync(
    join(dataDirectory, 'vms', 'reused', 'run.json'),
    JSON.stringify({ accelerator: 'tcg', sshPort: 1, startedAt: new Date().toISOString() }),
  );
  assert.equal((await host.status('reused')).power, 'stopped');
  await host.powerOff('reused');
  assert.equal(bystander.exitCode, null);
  assert.equal(bystander.signalCode, null);
  bystander.kill('SIGKILL');
  await once(bystander, 'close');
});

test('data disks come and go while the machine runs, and keep their content', async () => {
  await makeVm('disks');
  await host.start('disks');
  const source = join(dataDirectory, 'source.raw');
  await writeFile(source, 'a disk of another machine'.padEnd(1024));
  const disk = await host.attachDataDisk('disks', { sizeBytes: 1024 * 1024, serial: 'copied', copyOf: source });
  assert.equal(statSync(disk.path).size, 1024 * 1024);
  assert.ok((await readFile(disk.path)).subarray(0, 25).equals(Buffer.from('a disk of another machine')));
  const duplicate = host.attachDataDisk('disks', { sizeBytes: 1024 * 1024, serial: 'copied' });
  await assert.rejects(duplicate, (error) => hasCode(error, 'KNK-HST-0011'));
  assert.equal((await host.attachDataDisk('disks', { sizeBytes: 1024 * 1024 })).lun, 1);

  await host.detachDataDisk('disks', 'copied');
  assert.ok(existsSync(disk.path), 'the content stays');
  await host.detachDataDisk('disks', 'data1', { remove: true });
  assert.deepEqual((await host.describeVm('disks')).dataDisks, []);
  await assert.rejects(host.detachDataDisk('disks', 'data1'), (error) => hasCode(error, 'KNK-HST-0017'));
  await host.powerOff('disks');
});

test('names, sizes and images that cannot be are refused before anything is made', async () => {
  const spec = { image: blankImage, memoryMiB: 128, cpus: 1, dataDisks: [] };
  for (const name of ['', '..', '.hidden', 'a/b', 'a,b', 'x'.repeat(65), 'ends.']) {
    await assert.rejects(host.createVm({ ...spec, name }), (error) => hasCode(error, 'KNK-HST-0011'), name);
  }
  const bad = [
    { memoryMiB: 1 },
    { cpus: 0.5 },
    { dataDisks: [{ sizeBytes: 1000 }] },
    { dataDisks: [{ sizeBytes: 512, serial: 'a,b' }] },
    { dataDisks: [{ sizeBytes: 512, serial: 'kannuki-key' }] },
    {
      dataDisks: [
        { sizeBytes: 512, serial: 'x' },
        { sizeBytes: 512, serial: 'x' },
      ],
    },
    { provision: { '../x': '' } },
  ];
  for (const change of bad) {
    await assert.rejects(
      host.createVm({ ...spec, name: 'bad', ...change }),
      (error) => hasCode(error, 'KNK-HST-0011'),
      JSON.stringify(change),
    );
  }
  const missing = host.createVm({ ...spec, name: 'bad', image: 'no-such' });
  await assert.rejects(missing, (error) => hasCode(error, 'KNK-HST-0003'));
  assert.equal(existsSync(join(dataDirectory, 'vms', 'bad')), false);
});

test('a machine with a missing disk says why it does not start', async () => {
  await makeVm('broken', 1);
  const { unlinkSync } = await import('node:fs');
  unlinkSync(join(dataDirectory, 'vms', 'broken', 'disk-data0.raw'));
  await assert.rejects(
    host.start('broken'),
    (error) => hasCode(error, 'KNK-HST-0006') && /disk-data0\.raw/.test(error.message),
  );
  assert.equal((await host.status('broken')).power, 'stopped');
});
