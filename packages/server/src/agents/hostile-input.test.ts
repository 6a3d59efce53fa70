import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { limits } from '../http/limits.ts';
import { emptyStatus, TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const paths = [
  '/join',
  '/goal',
  '/status',
  '/renew',
  '/vault/getSecret',
  '/vault/setSecret',
  '/authority',
  '/',
  '/%00',
  '/..%2f',
];

/** JSON near to what is right, and JSON far from it. */
const bodies = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.string({ maxLength: 200 }),
  fc
    .record(
      {
        token: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
        certificateSigningRequest: fc.string({ maxLength: 300 }),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc
    .record(
      {
        generation: fc.oneof(fc.integer(), fc.double(), fc.string()),
        volumes: fc.array(fc.jsonValue(), { maxLength: 3 }),
        bootId: fc.string(),
        __proto__: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify({ ...emptyStatus, ...value })),
);

test('malformed requests get an answer of 4xx or 2xx, never 5xx, and the server goes on', {
  timeout: 120_000,
}, async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  const request = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD'),
    path: fc.constantFrom(...paths),
    query: fc.constantFrom(
      '',
      '?after=0&wait=0',
      '?after=-1',
      '?vault=kv1',
      '?vault=kv1&vault=kv2',
      '?vault=%00',
      '?a[b]=c',
    ),
    body: bodies,
    member: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, body, member }) => {
      const caller = member ? agent : agent.as(undefined);
      const withBody = method === 'PUT' || method === 'POST' || method === 'PATCH';
      const answer = await caller.call(method, `${path}${query}`, withBody ? body : undefined);
      assert.ok(answer.status >= 200 && answer.status < 500, `${method} ${path}${query} ${body}: ${answer.text}`);
      if (method !== 'HEAD' && answer.status >= 400) {
        assert.match(answer.errorCode, /^KNK-[A-Z]{3}-\d{4}$/);
      }
    }),
    { numRuns: 250, endOnFailure: true },
  );
  assert.deepEqual(server.failures, []);
  assert.equal((await agent.putStatus({})).status, 204);
});

function open(server: TestServer, text: string): Promise<{ socket: TLSSocket; closed: Promise<number> }> {
  const start = performance.now();
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
      socket.write(text);
      const closed = new Promise<number>((done) => socket.once('close', () => done(performance.now() - start)));
      socket.resume();
      resolve({ socket, closed });
    });
    socket.on('error', reject);
  });
}

test('a client that sends its headers drop by drop, or nothing at all, is cut off', { timeout: 60_000 }, async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const slow = await open(server, 'POST /agent/v1/join HTTP/1.1\r\nHost: x\r\n');
  const silent = await open(server, '');
  const drip = setInterval(() => slow.socket.writable && slow.socket.write('X-A: b\r\n'), 500);
  const agent = await TestAgent.join(server, token);
  const times = await Promise.all([slow.closed, silent.closed]);
  clearInterval(drip);
  for (const time of times) assert.ok(time < limits.headersMilliseconds + 5_000, `${time} ms`);
  // Others were served all the while.
  assert.equal((await agent.putStatus({})).status, 204);
});

test('a body that never ends is cut off', { timeout: 60_000 }, async () => {
  await using server = await TestServer.start();
  const { socket, closed } = await open(
    server,
    'POST /agent/v1/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"token":"',
  );
  const drip = setInterval(() => socket.writable && socket.write('a'), 1000);
  const time = await closed;
  clearInterval(drip);
  assert.ok(time < limits.requestMilliseconds + 5_000, `${time} ms`);
});

test('headers beyond their limit are refused', async () => {
  await using server = await TestServer.start();
  const { socket } = await open(
    server,
    `GET /agent/v1/authority HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`,
  );
  const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  assert.match(answer, /^HTTP\/1\.1 431 /);
  await sleep(50);
  socket.destroy();
});

test('TLS 1.2 is not spoken', async () => {
  await using server = await TestServer.start();
  const { port } = new URL(server.url);
  await assert.rejects(
    new Promise((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' },
        () => resolve('connected'),
      );
      socket.on('error', reject);
    }),
    /protocol version/,
  );
});
