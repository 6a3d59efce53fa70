import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import { Authority } from './authority.ts';
import { openServerCertificate } from './server-certificate.ts';
import { generateKeys } from './x509.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-authority-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const names = ['127.0.0.1', '::1', 'localhost', '10.0.2.2'];

test('an authority is made once, with a key that only its owner can read', () =>
  inFolder(async (folder) => {
    const made = await Authority.open(folder);
    assert.equal((await stat(join(folder, 'authority.key'))).mode & 0o777, 0o600);
    assert.equal((await Authority.open(folder)).fingerprint, made.fingerprint);
    const certificate = new X509Certificate(made.certificate);
    assert.equal(certificate.ca, true);
    assert.ok(certificate.validToDate.getTime() > Date.now() + 9 * 365 * 86_400_000);
  }));

test('openssl accepts server and agent certificates for what they are, and for nothing else', () =>
  inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const { chain } = await openServerCertificate(folder, authority, names);
    const keys = await generateKeys();
    const agent = await authority.issueAgent(keys.publicKey, 'some-vm');
    const serverFile = join(folder, 'only-server.pem');
    const agentFile = join(folder, 'agent.pem');
    await writeFile(serverFile, chain);
    await writeFile(agentFile, agent.certificate);
    const verify = (purpose: string, file: string): Promise<{ exitCode: number }> =>
      run('openssl', ['verify', '-x509_strict', '-CAfile', authority.certificateFile, '-purpose', purpose, file], {
        accept: [0, 2],
      });
    assert.equal((await verify('sslserver', serverFile)).exitCode, 0);
    assert.equal((await verify('sslclient', agentFile)).exitCode, 0);
    assert.equal((await verify('sslserver', agentFile)).exitCode, 2);
    assert.equal((await verify('sslclient', serverFile)).exitCode, 2);
    const certificate = new X509Certificate(chain);
    for (const address of ['127.0.0.1', '::1', '10.0.2.2']) assert.ok(certificate.checkIP(address), address);
    assert.ok(certificate.checkHost('localhost'));
    assert.equal(certificate.checkHost('example.com'), undefined);
  }));

test('the certificate of the server stays until its end is near, a name is missing or the authority is another', () =>
  inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const first = await openServerCertificate(folder, authority, names);
    assert.equal((await openServerCertificate(folder, authority, names)).chain, first.chain);
    const day = 86_400_000;
    const later = (days: number): Date => new Date(Date.now() + days * day);
    assert.equal((await openServerCertificate(folder, authority, names, later(59))).chain, first.chain);
    const near = await openServerCertificate(folder, authority, names, later(61));
    assert.notEqual(near.chain, first.chain);
    const named = await openServerCertificate(folder, authority, [...names, 'kannuki.example']);
    assert.notEqual(named.chain, near.chain);
    assert.ok(new X509Certificate(named.chain).checkHost('kannuki.example'));
    await rm(join(folder, 'authority.key'));
    await rm(join(folder, 'authority.pem'));
    const other = await openServerCertificate(folder, await Authority.open(folder), names);
    assert.notEqual(other.chain, named.chain);
    await writeFile(join(folder, 'server.pem'), 'damaged', { mode: 0o600 });
    assert.ok((await openServerCertificate(folder, authority, names)).chain.includes('CERTIFICATE'));
  }));

test('a lost, readable, damaged or foreign key is refused rather than replaced', () =>
  inFolder(async (folder) => {
    const refused = (reason: RegExp) =>
      assert.rejects(Authority.open(folder), (error) => hasCode(error, 'KNK-SRV-0021') && reason.test(error.message));
    await Authority.open(folder);
    const key = join(folder, 'authority.key');
    const content = await readFile(key, 'utf8');
    await chmod(key, 0o640);
    await refused(/0600/);
    await chmod(key, 0o600);
    await writeFile(key, content.slice(0, 100));
    await refused(/cannot be read/);
    await rm(key);
    await refused(/missing/);
    const second = await mkdtemp(join(tmpdir(), 'kannuki-authority-'));
    await Authority.open(second);
    const other = await readFile(join(second, 'authority.key'), 'utf8');
    const split = (text: string): string[] => text.split(/(?<=-----END PRIVATE KEY-----\n)/);
    await writeFile(key, `${split(content)[0]}${split(other)[1]}`, { mode: 0o600 });
    await refused(/belong together/);
    await rm(second, { recursive: true });
  }));
