import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type ErrorCode, SecretBytes } from '@kannuki/core';
import { AzureServer } from '../testing/azure-server.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { listenSilently } from '../testing/silent-listener.ts';
import { makeCertificates } from '../testing/tls-server.ts';
import { parseAzureAddress } from './address.ts';
import { AzureVault } from './azure-vault.ts';
import { azureFailure } from './failure.ts';
import { openAzureVault } from './open-azure-vault.ts';

const plain = { contentType: null, tags: {} } as const;

interface Azure extends AsyncDisposable {
  readonly scratch: ScratchVault;
  readonly server: AzureServer;
  readonly ca: string;
  open(more?: {
    readonly host?: string;
    readonly secretFile?: string;
    readonly seconds?: number;
    readonly authority?: string;
  }): Promise<AzureVault>;
  file(name: string, content: string | Uint8Array): Promise<string>;
}

async function startAzure(): Promise<Azure> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await ScratchVault.make('kv1'));
  const certificates = await makeCertificates(scratch.folder, 'azure');
  const server = stack.use(await AzureServer.start(certificates, scratch));
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = scratch.folder.file(name);
    await writeFile(path, content);
    await chmod(path, 0o600);
    return path;
  };
  const ca = await file('ca.pem', certificates.authority);
  const secret = await file('secret', 'CANARY-client-secret\n');
  const kept = stack.move();
  return {
    scratch,
    server,
    ca,
    file,
    open: ({ host = server.host, secretFile = secret, seconds = 10, authority = server.origin } = {}) => {
      const credential = `tenant=${server.tenant}&client=app&secret-file=${secretFile}`;
      const address = `azure+https://${host}/?${credential}&authority=${authority}&ca=${ca}&any-token-domain=yes`;
      return AzureVault.open(parseAzureAddress(address), { totalTimeoutSeconds: seconds });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What our own server does not say, or not when asked; the conformance suite runs against it (packages/testkit/src/conformance). */
describe('the driver for Azure, before a stand-in', () => {
  let azure: Azure;
  let vault: AzureVault;
  before(async () => {
    azure = await startAzure();
    vault = await azure.open();
    await azure.scratch.vault.createKey('kek');
  });
  after(() => azure[Symbol.asyncDispose]());
  afterEach(() => {
    azure.server.instead.length = 0;
  });

  const value = (): SecretBytes => SecretBytes.take(Buffer.from('CANARY-value'));
  const fails = async (code: ErrorCode, call: () => Promise<unknown>, what = ''): Promise<void> => {
    await assert.rejects(call(), (error) => {
      assert.equal((error as { code?: string }).code, code, `${what} ${inspect(error)}`);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /CANARY|Q0FOQVJZ/);
      return true;
    });
  };

  it('sends every body, however many calls begin at once, and none without a token', async () => {
    const fresh = await azure.open();
    azure.server.requests.length = 0;
    const names = Array.from({ length: 12 }, (_, at) => `burst-${at}`);
    await Promise.all(names.map((name) => fresh.setSecret(name, value(), plain)));
    const bare = azure.server.requests.filter(({ authorized }) => !authorized);
    assert.ok(bare.length > 0 && bare.every(({ bytes }) => bytes === 0));
  });

  it('wraps in the vault, not beside it, and with one authorized request', async () => {
    const { id } = await vault.keyInfo(`${vault.vaultUri}keys/kek`);
    azure.server.requests.length = 0;
    await vault.wrapKey(id, 'RSA-OAEP-256', value());
    const done = azure.server.requests.filter(({ authorized }) => authorized);
    assert.deepEqual(
      done.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`),
      ['POST wrapkey'],
    );
  });

  it('tries reads again, and a write never', async () => {
    const { id } = await vault.setSecret('retried', value(), plain);
    azure.server.instead.push([503, { error: { code: 'x', message: 'CANARY' } }]);
    (await vault.getSecret(id)).value[Symbol.dispose]();
    azure.server.instead.push([503]);
    const versions = azure.scratch.vault.secretVersions('retried').length;
    await fails('KNK-KVT-0001', () => vault.setSecret('retried', value(), plain));
    assert.equal(azure.scratch.vault.secretVersions('retried').length, versions);
  });

  it('tells what Azure answers apart, and quotes none of it', async () => {
    const error = (code: string, inner?: string): object => ({
      error: { code, message: 'CANARY-value', ...(inner === undefined ? {} : { innererror: { code: inner } }) },
    });
    const answers: readonly [number, unknown, ErrorCode][] = [
      [400, error('BadParameter'), 'KNK-KVT-0007'],
      [401, error('Unauthorized'), 'KNK-KVT-0002'],
      [403, error('Forbidden', 'ForbiddenByRbac'), 'KNK-KVT-0002'],
      [403, error('Forbidden', 'SecretDisabled'), 'KNK-KVT-0004'],
      [403, error('Forbidden', 'SecretExpired'), 'KNK-KVT-0024'],
      [403, undefined, 'KNK-KVT-0002'],
      [503, undefined, 'KNK-KVT-0001'],
      [200, undefined, 'KNK-KVT-0014'],
      [404, error('VaultNotFound'), 'KNK-KVT-0003'],
      [409, error('Conflict', 'ObjectIsDeletedButRecoverable'), 'KNK-KVT-0021'],
      [418, error('CANARY'), 'KNK-KVT-0014'],
      [429, error('Throttled'), 'KNK-KVT-0028'],
      [500, error('InternalServerError'), 'KNK-KVT-0001'],
      [200, { value: 'x', id: 'https://other.example/secrets/name/00000000000000000000000000000001' }, 'KNK-KVT-0014'],
      [200, { value: 'x', id: `${vault.vaultUri}secrets/other/00000000000000000000000000000001` }, 'KNK-KVT-0014'],
    ];
    for (const [status, body, code] of answers) {
      azure.server.instead.push([status, body]);
      await fails(code, () => vault.setSecret('name', value(), plain), `${status} ${inspect(body)}`);
    }
  });

  it('says when it may not sign in, or has nothing to sign in with', async () => {
    const secretFile = await azure.file('wrong', 'CANARY-wrong');
    const wrong = await azure.open({ secretFile });
    await fails('KNK-KVT-0002', () => wrong.keyInfo(`${vault.vaultUri}keys/kek`));
    await chmod(secretFile, 0o644);
    await fails('KNK-KVT-0051', () => azure.open({ secretFile }));
    // Nobody signs in there: that may pass, and is told as such.
    await using silent = await listenSilently();
    const origin = `https://localhost:${silent.port}`;
    const lost = await azure.open({ authority: origin, seconds: 0.5 });
    await fails('KNK-KVT-0001', () => lost.keyInfo(`${vault.vaultUri}keys/kek`));
    const call = { vault: 'v', call: 'getSecret', object: 'o' } as const;
    const unavailable = Object.assign(new Error('CANARY'), { name: 'CredentialUnavailableError' });
    const codeOf = (error: unknown, signIn: number): string => azureFailure(error, call, { vault: 401, signIn }).code;
    assert.deepEqual(
      [401, 0, 429, 503].map((status) => codeOf(unavailable, status)),
      ['KNK-KVT-0002', 'KNK-KVT-0001', 'KNK-KVT-0001', 'KNK-KVT-0001'],
    );
    for (const thrown of [undefined, 'CANARY', null, new TypeError('CANARY')]) {
      assert.doesNotMatch(inspect(azureFailure(thrown, call, { vault: 200, signIn: 0 })), /CANARY/);
    }
  });

  it('takes the identity of the VM from its metadata service', async () => {
    const asked: string[] = [];
    const metadata = createServer((request, response) => {
      asked.push(`${String(request.headers.metadata)} ${request.url}`);
      const token = { access_token: azure.server.issueToken(), expires_in: 3600, token_type: 'Bearer' };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
    });
    metadata.listen(0, '127.0.0.1');
    await once(metadata, 'listening');
    const { port } = metadata.address() as AddressInfo;
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = `http://127.0.0.1:${port}`;
    try {
      const address = `azure+https://${azure.server.host}/?managed-identity=vm-1&ca=${azure.ca}&any-token-domain=yes`;
      await using identified = await openAzureVault(address);
      await identified.setSecret('by-identity', value(), plain);
    } finally {
      delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
      metadata.close();
      metadata.closeAllConnections();
    }
    assert.ok(asked.length > 0);
    for (const question of asked) {
      assert.match(question, /^true \/metadata\/identity\/oauth2\/token\/?\?/);
      assert.match(question, /client_id=vm-1/);
      assert.match(question, /resource=https%3A%2F%2Fvault\.example/);
    }
  });

  it('says which packages are missing', async () => {
    const loadSdk = (): Promise<never> =>
      Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }));
    const address = parseAzureAddress('https://kv1.vault.azure.net/');
    await fails('KNK-KVT-0052', () => AzureVault.open(address, { loadSdk }));
  });
});

describe('addresses of vaults in Azure', () => {
  it('are read wholly', () => {
    const given = 'https://KV1.vault.azure.net/?tenant=t&client=c&certificate-file=/c.pem';
    assert.deepEqual(parseAzureAddress(given), {
      vaultUri: 'https://kv1.vault.azure.net/',
      host: 'kv1.vault.azure.net',
      credential: { kind: 'certificate', tenantId: 't', clientId: 'c', certificateFile: '/c.pem' },
      authorityHost: null,
      authorityFile: null,
      anyTokenDomain: false,
    });
    const credentialOf = (query: string): unknown => parseAzureAddress(`https://kv1.vault.azure.cn${query}`).credential;
    assert.deepEqual(credentialOf(''), { kind: 'default' });
    assert.deepEqual(credentialOf('?managed-identity=system'), { kind: 'managed-identity', clientId: null });
    assert.deepEqual(credentialOf('/?managed-identity=id-1'), { kind: 'managed-identity', clientId: 'id-1' });
  });

  it('are refused where anything is unclear', () => {
    const wrong = [
      'https://kv1.example/',
      'https://vault.azure.net.example/',
      'http://kv1.vault.azure.net/',
      'https://u:CANARY@kv1.vault.azure.net/',
      'https://kv1.vault.azure.net/secrets',
      'https://kv1.vault.azure.net/?tenant=t',
      'https://kv1.vault.azure.net/?client=c&secret-file=/s',
      'https://kv1.vault.azure.net/?tenant=t&client=c&secret-file=s',
      'https://kv1.vault.azure.net/?tenant=t&client=c&secret-file=/s&certificate-file=/c',
      'https://kv1.vault.azure.net/?managed-identity=',
      'https://kv1.vault.azure.net/?secret=CANARY',
      'https://kv1.vault.azure.net/?any-token-domain=yes',
      'azure+https://kv1.example/?authority=http://login.example',
      'azure+https://kv1.example/?any-token-domain=1',
    ];
    for (const address of wrong) {
      assert.throws(
        () => parseAzureAddress(address),
        (error) => {
          assert.equal((error as { code?: string }).code, 'KNK-KVT-0015', address);
          return true;
        },
        address,
      );
    }
  });
});
