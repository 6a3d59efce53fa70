import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { QmpClient, waitForEvent } from './qmp.ts';

// A monitor that misbehaves on request; that the real one is understood is tested with real machines in host.test.ts.

const greeting = '{"QMP": {"version": {}, "capabilities": []}}\n';
let folder: string;
let server: Server;
let sockets: Socket[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kannuki-qmp-'));
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
  await rm(folder, { recursive: true, force: true });
});

/** Serves one command after the other with `answer`; what it returns is sent as it is. */
async function monitor(hello: string, answer: (id: number, command: string) => string, name = 'm'): Promise<string> {
  const path = join(folder, name);
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.write(hello);
    socket.on('data', (data) => {
      for (const line of data.toString().trim().split('\n')) {
        const { id, execute } = JSON.parse(line) as { id: number; execute: string };
        socket.write(answer(id, execute));
      }
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return path;
}

const ok = (id: number): string => `{"return": {}, "id": ${id}}\n`;

test('answers find their commands, and a refusal carries what QEMU says', async () => {
  const path = await monitor(greeting, (id, command) =>
    command === 'bad' ? `{"error": {"class": "GenericError", "desc": "no such thing"}, "id": ${id}}\n` : ok(id),
  );
  await using client = await QmpClient.connect(path);
  assert.deepEqual(await client.execute('good'), {});
  await assert.rejects(
    client.execute('bad'),
    (error) => hasCode(error, 'KNK-HST-0007') && /no such thing/.test(error.message),
  );
  assert.deepEqual(await client.execute('good'), {}, 'the session goes on after a refusal');
});

test('a monitor that never greets or never answers is given up in time', async () => {
  const silent = await monitor('', ok);
  await assert.rejects(QmpClient.connect(silent, 0.2), (error) => hasCode(error, 'KNK-HST-0008'));
  server.close();
  for (const socket of sockets) socket.destroy();
  await once(server, 'close');
  const path = await monitor(greeting, (id, command) => (command === 'sleep' ? '' : ok(id)));
  await using client = await QmpClient.connect(path);
  await assert.rejects(client.execute('sleep', {}, 0.2), (error) => hasCode(error, 'KNK-HST-0008'));
});

test('a monitor that closes, or talks nonsense, fails the command that waits', async () => {
  const path = await monitor(greeting, (id, command) => (command === 'nonsense' ? 'this is not JSON\n' : ok(id)));
  await using client = await QmpClient.connect(path);
  await assert.rejects(client.execute('nonsense'), (error) => hasCode(error, 'KNK-HST-0007'));
  await assert.rejects(client.execute('anything'), (error) => hasCode(error, 'KNK-HST-0007'));
});

test('an endless line ends the session instead of filling the memory', async () => {
  const path = await monitor(greeting, (id, command) => (command === 'flood' ? 'x'.repeat(5 * 1024 * 1024) : ok(id)));
  await using client = await QmpClient.connect(path);
  await assert.rejects(
    client.execute('flood'),
    (error) => hasCode(error, 'KNK-HST-0007') && /endless/.test(error.message),
  );
});

test('events reach listeners until they are disposed, and waiting for one is bounded', async () => {
  const path = await monitor(greeting, (id, command) =>
    command === 'poke' ? `{"event": "POKED", "data": {"device": "x"}, "timestamp": {}}\n${ok(id)}` : ok(id),
  );
  await using client = await QmpClient.connect(path);
  const seen: string[] = [];
  const listening = client.onEvent(({ event }) => seen.push(event));
  const poked = waitForEvent(client, ({ event, data }) => event === 'POKED' && data.device === 'x', 5, 'poke');
  await client.execute('poke');
  await poked;
  listening[Symbol.dispose]();
  await client.execute('poke');
  assert.deepEqual(seen, ['POKED']);
  await assert.rejects(
    waitForEvent(client, () => true, 0.1, 'nothing'),
    (error) => hasCode(error, 'KNK-HST-0008'),
  );
});

test('a socket with a path longer than the kernel takes is reached all the same', async () => {
  const path = await monitor(greeting, ok, 'm');
  const { mkdir, rename } = await import('node:fs/promises');
  const deep = join(folder, 'd'.repeat(120));
  await mkdir(deep);
  await rename(path, join(deep, 'm'));
  await using client = await QmpClient.connect(join(deep, 'm'));
  assert.deepEqual(await client.execute('good'), {});
});
