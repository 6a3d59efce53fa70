import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { hasCode } from '@kannuki/core';
import { AzureClient } from '../testing/azure-client.ts';
import { TestServer } from '../testing/test-server.ts';
import { ConnectProxy } from './connect-proxy.ts';

async function answerTo(port: number, request: string): Promise<{ line: string; socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request);
  const [first] = (await once(socket, 'data')) as [Buffer];
  return { line: first.toString('latin1').split('\r\n')[0] ?? '', socket };
}

test('CONNECT to the names of Azure on port 443, and nothing else', async () => {
  await using server = await TestServer.start({ server: { proxyListen: '127.0.0.1:0' } });
  const port = server.proxyPort;
  const rows: readonly (readonly [string, number])[] = [
    ['CONNECT login.microsoftonline.com:443', 200],
    ['CONNECT MANAGEMENT.azure.com:443', 200],
    ['CONNECT graph.microsoft.com:443', 200],
    ['CONNECT kv1.vault.azure.net:443', 200],
    ['CONNECT kv1.vault.azure.net:22', 403],
    ['CONNECT vault.azure.net:443', 403],
    ['CONNECT a.b.vault.azure.net:443', 403],
    ['CONNECT kv1.vault.azure.net.evil.example:443', 403],
    ['CONNECT evil.example:443', 403],
    ['CONNECT 127.0.0.1:443', 403],
    ['CONNECT localhost:22', 403],
    ['CONNECT constructor:443', 403],
    ['CONNECT [::1]:443', 403],
    ['GET http://management.azure.com/subscriptions', 405],
    ['GET /', 405],
    ['POST http://169.254.169.254/', 405],
    [`CONNECT ${'x'.repeat(9000)}:443`, 431],
  ];
  for (const [start, status] of rows) {
    const { line, socket } = await answerTo(port, `${start} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(Number(line.split(' ')[1]), status, `${start.slice(0, 60)}: ${line}`);
    socket.destroy();
  }
  assert.deepEqual(server.failures, []);
});

test("the certificate for Azure's names is there with the proxy only", async () => {
  for (const isOn of [true, false]) {
    await using server = await TestServer.start(isOn ? { server: { proxyListen: '127.0.0.1:0' } } : {});
    const { authority, port } = await AzureClient.administrator(server);
    for (const servername of ['kv1.vault.azure.net', 'login.microsoftonline.com']) {
      const socket = tlsConnect({ port: Number(port), host: '127.0.0.1', ca: authority, servername });
      const outcome = once(socket, 'secureConnect').then(
        () => 'trusted',
        (error: NodeJS.ErrnoException) => error.code,
      );
      assert.equal(await outcome, isOn ? 'trusted' : 'ERR_TLS_CERT_ALTNAME_INVALID', servername);
      socket.destroy();
    }
  }
});

test('it listens on this machine only, unless it is told otherwise', async () => {
  const accept = (): void => undefined;
  const shy = new ConnectProxy({ accept, beyondLoopback: false });
  await assert.rejects(shy.listen({ host: '0.0.0.0', port: 0 }), (error) => hasCode(error, 'KNK-SRV-0025'));
  const open = new ConnectProxy({ accept, beyondLoopback: true });
  const { port } = await open.listen({ host: '0.0.0.0', port: 0 });
  const second = new ConnectProxy({ accept, beyondLoopback: false });
  await assert.rejects(second.listen({ host: '127.0.0.1', port }), (error) => hasCode(error, 'KNK-SRV-0012'));
  await open.close();
});
