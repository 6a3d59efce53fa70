import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, randomUUID, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { CryptographyClient, KeyClient, type KeyClientOptions } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import type { DataPlanePort } from '../service/data-plane-call.ts';
import { baseUrl, MemoryDataPlane, testCaller } from '../testing/memory-data-plane.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

/** The official SDKs, unmodified, are the judges of what goes over the wire. */

type SdkHttpClient = NonNullable<KeyClientOptions['httpClient']>;
type SdkRequest = Parameters<SdkHttpClient['sendRequest']>[0];
type SdkHeaders = SdkRequest['headers'];

/** What the official clients ask for as a credential; who the caller is, is the transport's business here. */
const sdkCredential = {
  getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/**
 * Lets the official SDKs talk to a data plane in this process: they build and read everything as over HTTP, with the
 * challenge (REQ-321) answered where a request has no token.
 */
function sdkTransport(plane: DataPlanePort): SdkHttpClient {
  return {
    sendRequest: async (request) => {
      if (!request.headers.has('authorization')) {
        const challenge = 'Bearer authorization="https://login.localhost/tenant", resource="https://vault.localhost"';
        return { request, status: 401, headers: headersOf(request, { 'www-authenticate': challenge }) };
      }
      const url = new URL(request.url);
      const reply = await plane.handle({
        method: request.method,
        vaultName: url.hostname.split('.')[0] ?? '',
        baseUrl: url.origin,
        // The SDKs write `//` where a version is missing, and so it goes over the wire.
        path: url.pathname,
        query: url.search.slice(1),
        body: Buffer.from(typeof request.body === 'string' ? request.body : ''),
        caller: testCaller,
        requestId: randomUUID(),
      });
      const bodyAsText = reply.body.toString('utf8');
      return { request, status: reply.status, headers: headersOf(request, reply.headers), bodyAsText };
    },
  };
}

/** The SDK's own class of headers, which it does not export. */
function headersOf(request: SdkRequest, values: Readonly<Record<string, string>>): SdkHeaders {
  const Headers = request.headers.constructor as new (values: Readonly<Record<string, string>>) => SdkHeaders;
  return new Headers(values);
}

const poll = { intervalInMs: 1 };

/** An embedded vault on disk behind the data plane, and the clients in front of it. */
class Service implements AsyncDisposable {
  readonly plane: MemoryDataPlane;
  readonly keys: KeyClient;
  readonly secrets: SecretClient;
  readonly #scratch: ScratchVault;
  readonly #options: Omit<KeyClientOptions, 'serviceVersion'>;

  private constructor(scratch: ScratchVault) {
    this.#scratch = scratch;
    this.plane = new MemoryDataPlane({ objects: () => scratch.vault });
    this.#options = { httpClient: sdkTransport(this.plane.plane), retryOptions: { maxRetries: 0 } };
    this.keys = new KeyClient(baseUrl, sdkCredential, this.#options);
    this.secrets = new SecretClient(baseUrl, sdkCredential, this.#options);
  }

  static async start(): Promise<Service> {
    return new Service(await ScratchVault.make('kv1'));
  }

  cryptography(key: string): CryptographyClient {
    return new CryptographyClient(key, sdkCredential, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('the official client for secrets', () => {
  it('sets, gets, updates, lists and pages', async () => {
    await using service = await Service.start();
    const { secrets } = service;
    const expiresOn = new Date('2031-01-01');
    const value = 'p"a\\ss\n日本 🔑';
    const set = await secrets.setSecret('s1', value, { tags: { a: 'b' }, contentType: 'text/plain', expiresOn });
    assert.equal(set.value, value);
    const got = await secrets.getSecret('s1');
    assert.deepEqual(got, set);
    assert.deepEqual(got.properties.expiresOn, expiresOn);
    assert.equal(got.properties.vaultUrl, baseUrl);
    assert.equal(got.properties.recoveryLevel, 'Recoverable+Purgeable');
    const version = got.properties.version ?? '';
    const updated = await secrets.updateSecretProperties('s1', version, { enabled: false, tags: { c: 'd' } });
    assert.deepEqual([updated.enabled, updated.tags, updated.contentType], [false, { c: 'd' }, 'text/plain']);
    await assert.rejects(secrets.getSecret('s1', { version }), { statusCode: 403, code: 'Forbidden' });
    await assert.rejects(secrets.getSecret('none'), { statusCode: 404, code: 'SecretNotFound' });
    for (let at = 2; at <= 60; at += 1) await secrets.setSecret(`s${at}`, 'v');
    assert.equal((await all(secrets.listPropertiesOfSecrets())).length, 60);
    const pages = await all(secrets.listPropertiesOfSecrets().byPage({ maxPageSize: 7 }));
    assert.deepEqual(
      pages.map((page) => page.length),
      [7, 7, 7, 7, 7, 7, 7, 7, 4],
    );
    await secrets.setSecret('s2', 'second');
    assert.equal((await all(secrets.listPropertiesOfSecretVersions('s2'))).length, 2);
  });

  it('deletes, recovers, purges, backs up and restores', async () => {
    await using service = await Service.start();
    const { secrets } = service;
    const made = await secrets.setSecret('s1', 'v');
    const backup = await secrets.backupSecret('s1');
    const deletion = await secrets.beginDeleteSecret('s1', poll);
    const deleted = await deletion.pollUntilDone();
    assert.equal(deleted.recoveryId, `${baseUrl}/deletedsecrets/s1`);
    assert.equal(deleted.scheduledPurgeDate?.getTime(), (deleted.deletedOn?.getTime() ?? 0) + 90 * 86_400_000);
    assert.deepEqual(
      (await all(secrets.listDeletedSecrets())).map(({ name }) => name),
      ['s1'],
    );
    await assert.rejects(secrets.setSecret('s1', 'v'), { statusCode: 409, code: 'Conflict' });
    assert.ok(backup);
    await assert.rejects(secrets.restoreSecretBackup(backup), { statusCode: 409 });
    const recovery = await secrets.beginRecoverDeletedSecret('s1', poll);
    await recovery.pollUntilDone();
    assert.equal((await secrets.getSecret('s1')).value, 'v');
    await (await secrets.beginDeleteSecret('s1', poll)).pollUntilDone();
    await secrets.purgeDeletedSecret('s1');
    const restored = await secrets.restoreSecretBackup(backup);
    assert.equal(restored.version, made.properties.version);
    await assert.rejects(secrets.restoreSecretBackup(randomBytes(24)), { statusCode: 400, code: 'BadParameter' });
  });
});

describe('the official client for keys', () => {
  it('creates, imports, gets, updates, lists, deletes and recovers', async () => {
    await using service = await Service.start();
    const { keys } = service;
    const rsa = await keys.createRsaKey('rsa', { keySize: 3072, keyOps: ['wrapKey', 'unwrapKey'], tags: { a: 'b' } });
    assert.deepEqual([rsa.keyType, rsa.keyOperations, rsa.key?.n?.length], ['RSA', ['wrapKey', 'unwrapKey'], 384]);
    assert.deepEqual(await keys.getKey('rsa'), rsa);
    const ec = await keys.createEcKey('ec', { curve: 'P-256K' });
    assert.deepEqual([ec.keyType, ec.key?.crv, ec.key?.x?.length], ['EC', 'P-256K', 32]);
    const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    const bytes = Object.fromEntries(
      ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'].map((member) => [
        member,
        Buffer.from(String(jwk[member]), 'base64url'),
      ]),
    );
    const imported = await keys.importKey('imported', { kty: 'RSA', ...bytes });
    assert.deepEqual(Buffer.from(imported.key?.n ?? []), bytes.n);
    assert.equal(imported.key?.d, undefined);
    const updated = await keys.updateKeyProperties('rsa', { enabled: false, keyOps: ['sign'] });
    assert.deepEqual([updated.properties.enabled, updated.keyOperations], [false, ['sign']]);
    assert.deepEqual(
      (await all(keys.listPropertiesOfKeys())).map(({ name }) => name),
      ['ec', 'imported', 'rsa'],
    );
    const rotated = await keys.rotateKey('imported');
    assert.notEqual(rotated.properties.version, imported.properties.version);
    assert.equal((await all(keys.listPropertiesOfKeyVersions('imported'))).length, 2);
    const deleted = await (await keys.beginDeleteKey('rsa', poll)).pollUntilDone();
    assert.equal(deleted.properties.recoveryId, `${baseUrl}/deletedkeys/rsa`);
    assert.deepEqual(
      (await all(keys.listDeletedKeys())).map(({ name }) => name),
      ['rsa'],
    );
    await (await keys.beginRecoverDeletedKey('rsa', poll)).pollUntilDone();
    await (await keys.beginDeleteKey('rsa', poll)).pollUntilDone();
    await keys.purgeDeletedKey('rsa');
    await assert.rejects(keys.getDeletedKey('rsa'), { statusCode: 404, code: 'KeyNotFound' });
    const backup = await keys.backupKey('ec');
    await (await keys.beginDeleteKey('ec', poll)).pollUntilDone();
    await keys.purgeDeletedKey('ec');
    assert.ok(backup);
    assert.deepEqual((await keys.restoreKeyBackup(backup)).key, ec.key);
    assert.equal((await keys.getRandomBytes(16)).length, 16);
  });

  it('sets and gets a rotation policy', async () => {
    await using service = await Service.start();
    const { keys } = service;
    await keys.createKey('k', 'RSA');
    const lifetimeActions = [
      { action: 'Rotate' as const, timeAfterCreate: 'P60D' },
      { action: 'Notify' as const, timeBeforeExpiry: 'P30D' },
    ];
    await keys.updateKeyRotationPolicy('k', { expiresIn: 'P90D', lifetimeActions });
    const policy = await keys.getKeyRotationPolicy('k');
    assert.equal(policy.expiresIn, 'P90D');
    assert.equal(policy.id, `${baseUrl}/keys/k/rotationpolicy`);
    assert.deepEqual(
      policy.lifetimeActions?.map(({ action, timeAfterCreate, timeBeforeExpiry }) => [
        action,
        timeAfterCreate ?? timeBeforeExpiry,
      ]),
      [
        ['Rotate', 'P60D'],
        ['Notify', 'P30D'],
      ],
    );
    assert.ok(policy.createdOn instanceof Date);
  });

  it('wraps, unwraps, encrypts, decrypts, signs and verifies, with and without a version', async () => {
    await using service = await Service.start();
    const { keys } = service;
    const key = await keys.createRsaKey('k');
    const plain = randomBytes(64);
    for (const id of [key.id ?? '', `${baseUrl}/keys/k`]) {
      const client = service.cryptography(id);
      const wrapped = await client.wrapKey('RSA-OAEP', plain);
      const unwrapped = await client.unwrapKey('RSA-OAEP', wrapped.result);
      assert.deepEqual(Buffer.from(unwrapped.result), plain);
      assert.equal(unwrapped.keyID, key.id);
      const encrypted = await client.encrypt({ algorithm: 'RSA-OAEP', plaintext: plain });
      const decrypted = await client.decrypt({ algorithm: 'RSA-OAEP', ciphertext: encrypted.result });
      assert.deepEqual(Buffer.from(decrypted.result), plain);
      const digest = createHash('sha256').update(plain).digest();
      for (const algorithm of ['RS256', 'PS256'] as const) {
        const signed = await client.sign(algorithm, digest);
        assert.equal(signed.keyID, key.id);
        assert.equal((await client.verify(algorithm, digest, signed.result)).result, true);
        assert.equal((await client.verify(algorithm, randomBytes(32), signed.result)).result, false);
      }
    }
    const used = service.plane.records.filter(({ operation }) => operation === 'KeyUnwrap').map(({ object }) => object);
    assert.deepEqual(used, Array(2).fill(`keys/k/${key.properties.version}`));
  });

  it('signs with keys of every curve, as JWS has signatures', async () => {
    await using service = await Service.start();
    for (const [curve, algorithm, hash] of [
      ['P-256', 'ES256', 'sha256'],
      ['P-384', 'ES384', 'sha384'],
      ['P-521', 'ES512', 'sha512'],
      ['P-256K', 'ES256K', 'sha256'],
    ] as const) {
      const { id = '', key } = await service.keys.createEcKey(curve, { curve });
      const data = randomBytes(100);
      const signed = await service.cryptography(id).sign(algorithm, createHash(hash).update(data).digest());
      const [x, y] = [key?.x, key?.y].map((part) => Buffer.from(part ?? []).toString('base64url'));
      const jwk = { kty: 'EC', crv: curve === 'P-256K' ? 'secp256k1' : curve, x: x ?? '', y: y ?? '' };
      const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
      assert.ok(verify(hash, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signed.result), curve);
    }
  });
});
