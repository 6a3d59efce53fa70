import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { run } from '@kannuki/core';
import type { ScratchFolder } from './scratch-vaults.ts';

/** Certificates of a test: an authority, a server for localhost, a client. Made with the openssl command. */
export interface TestCertificates {
  readonly authority: Buffer;
  readonly server: { readonly certificate: Buffer; readonly privateKey: Buffer };
  readonly client: { readonly certificate: Buffer; readonly privateKey: Buffer };
}

export async function makeCertificates(folder: ScratchFolder, name: string): Promise<TestCertificates> {
  const file = (kind: string): string => folder.file(`${name}-${kind}.pem`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const issue = async (kind: string, ...more: readonly string[]): Promise<void> => {
    const output = ['-keyout', file(`${kind}-key`), '-out', file(kind), '-days', '2', '-subj', `/CN=${name}-${kind}`];
    await run('openssl', ['req', '-x509', ...key, ...output, ...more]);
  };
  const signed = ['-CA', file('ca'), '-CAkey', file('ca-key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
  await issue('ca', '-addext', 'keyUsage=critical,keyCertSign');
  await issue('server', ...signed, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  await issue('client', ...signed);
  const pair = async (kind: string): Promise<{ certificate: Buffer; privateKey: Buffer }> => ({
    certificate: await readFile(file(kind)),
    privateKey: await readFile(file(`${kind}-key`)),
  });
  return { authority: await readFile(file('ca')), server: await pair('server'), client: await pair('client') };
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
}

/** An HTTPS server on 127.0.0.1 that wants a client certificate of the same authority, unless told not to. */
export async function serveTls(
  { authority, server }: TestCertificates,
  handle: (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>,
  tls: {
    readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
    readonly minVersion?: 'TLSv1.1';
    readonly requestCert?: boolean;
  } = {},
): Promise<TestServer> {
  const { certificate: cert, privateKey } = server;
  const options = { ca: authority, cert, key: privateKey, requestCert: true, rejectUnauthorized: true, ...tls };
  const listener = createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void handle(request, Buffer.concat(chunks), response));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    url: `https://localhost:${port}`,
    [Symbol.asyncDispose]: async () => {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}
