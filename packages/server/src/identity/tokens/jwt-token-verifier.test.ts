import assert from 'node:assert/strict';
import { constants, createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { PrincipalStore } from '../../storage/principal-store.ts';
import { IdentityServer } from '../../testing/identity-server.ts';
import { Audiences } from './audiences.ts';
import { JwtTokenVerifier } from './jwt-token-verifier.ts';
import type { TokenPlane } from './token-verifier.ts';

const server = await IdentityServer.start();
after(() => server[Symbol.asyncDispose]());
const { identity } = server;
const { tenantId, signingKeys } = identity;
const store = new PrincipalStore(server.database);
const { appId, objectId } = await identity.principals.create('bearer');
const principal = identity.principals.require(appId);
const vault = 'https://vault.azure.net';
const leeway = 30_000;

/** What a signature is made with; the header names the algorithm, truly or not. */
type Signer = (input: Buffer) => Buffer;

/** Our own private key, as whoever has stolen the file. */
async function ownKey(): Promise<string> {
  const { kid } = await signingKeys.signer();
  const text = await readFile(join(server.folder, 'authority', 'token-keys.json'), 'utf8');
  const { keys } = JSON.parse(text) as { keys: { kid: string; privateKey: string }[] };
  return keys.find((key) => key.kid === kid)?.privateKey ?? '';
}

/** A token by our own key, right but for what is given. */
async function forged(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  signer?: Signer,
): Promise<string> {
  const { kid } = await signingKeys.signer();
  const now = Math.floor(identity.now() / 1000);
  const whole = {
    aud: vault,
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: now,
    nbf: now,
    exp: now + 3600,
    appid: appId,
    oid: objectId,
    sub: objectId,
    tid: tenantId,
    ver: '1.0',
    ...claims,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ typ: 'JWT', alg: 'RS256', kid, ...header })}.${part(whole)}`;
  const pem = await ownKey();
  const signature = (signer ?? ((bytes) => sign('sha256', bytes, pem)))(Buffer.from(input));
  return `${input}.${signature.toString('base64url')}`;
}

test('what a token is for: each audience at its plane and at no other', async () => {
  const table: readonly [string, readonly TokenPlane[]][] = [
    ['https://vault.azure.net', ['vault']],
    ['https://vault.azure.net/', ['vault']],
    ['https://vault.localhost', ['vault']],
    ['https://vault.localhost:8443', ['vault']],
    ['https://VAULT.localhost:8443', ['vault']],
    ['https://management.azure.com', ['management']],
    ['https://management.azure.com/', ['management']],
    ['https://management.core.windows.net/', ['management']],
    ['https://graph.microsoft.com', ['graph']],
    ['https://graph.microsoft.com/', ['graph']],
    [server.url, ['management', 'graph']],
    [`${server.url}/`, ['management', 'graph']],
    ['https://[::1]:8443/', ['management', 'graph']],
    ['https://localhost:8443', ['management', 'graph']],
    ['https://kv1.vault.azure.net', []],
    ['https://vault.azure.net.evil.example', []],
    ['https://evil.example/vault.azure.net', []],
    ['https://vault.azure.net/path', []],
    ['https://vault.azure.net//', []],
    ['https://vault.azure.net?', []],
    ['https://user@vault.azure.net', []],
    ['http://vault.azure.net', []],
    ['vault.azure.net', []],
    [`https://vault.azure.net:${'1'.repeat(400)}`, []],
    ['', []],
  ];
  for (const [audience, planes] of table) {
    const { token } = await identity.issuer.issue(principal, audience, '1');
    const taken: TokenPlane[] = [];
    for (const plane of ['vault', 'management', 'graph'] as const) {
      if ((await identity.verifier.verify(token, plane)) !== undefined) taken.push(plane);
    }
    assert.deepEqual(taken, planes, audience);
    assert.equal(identity.audiences.isKnown(audience), planes.length > 0, audience);
  }
});

test('tokens that are wrong in one thing', async () => {
  assert.ok(await identity.verifier.verify(await forged(), 'vault'), 'the forger makes good ones');
  const { kid } = await signingKeys.signer();
  const publicKey = (await signingKeys.publicKey(kid)) as KeyObject;
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const strangerJwk = stranger.publicKey.export({ format: 'jwk' });
  const now = Math.floor(identity.now() / 1000);
  const pem = await ownKey();
  const byStranger: Signer = (bytes) => sign('sha256', bytes, stranger.privateKey);
  const nothing: Signer = () => Buffer.alloc(0);
  const hmac =
    (key: string | Buffer): Signer =>
    (bytes) =>
      createHmac('sha256', key).update(bytes).digest();
  const pss: Signer = (bytes) =>
    sign('sha256', bytes, { key: pem, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  const [head = '', body = '', signature = ''] = (await forged()).split('.');
  const [, otherBody = ''] = (await forged({ oid: 'x', sub: 'x' })).split('.');
  const changed = Buffer.from(signature, 'base64url');
  changed.writeUInt8(changed.readUInt8(9) ^ 1, 9);
  const table: readonly [string, string | Promise<string>][] = [
    ['signed by a stranger under our kid', forged({}, {}, byStranger)],
    ['unknown kid', forged({}, { kid: 'other' })],
    ['no kid', forged({}, { kid: undefined })],
    ['kid that is no text', forged({}, { kid: [kid] })],
    ['its own key in the header', forged({}, { kid: undefined, jwk: strangerJwk }, byStranger)],
    ['its own key and our kid', forged({}, { jwk: strangerJwk }, byStranger)],
    ['alg none', forged({}, { alg: 'none' }, nothing)],
    ['alg None', forged({}, { alg: 'None' }, nothing)],
    ['alg none with a good signature', forged({}, { alg: 'none' })],
    ['no alg', forged({}, { alg: undefined })],
    [
      'HS256 over our public key in PEM',
      forged({}, { alg: 'HS256' }, hmac(publicKey.export({ type: 'spki', format: 'pem' }))),
    ],
    [
      'HS256 over our public key in DER',
      forged({}, { alg: 'HS256' }, hmac(publicKey.export({ type: 'spki', format: 'der' }))),
    ],
    ['PS256 by our key', forged({}, { alg: 'PS256' }, pss)],
    ['RS512 by our key', forged({}, { alg: 'RS512' }, (bytes) => sign('sha512', bytes, pem))],
    ['other type', forged({}, { typ: 'at+jwt' })],
    ['unknown critical header', forged({}, { crit: ['x'], x: 1 })],
    ['not encoded payload', forged({}, { crit: ['b64'], b64: false })],
    ['one bit of the signature', `${head}.${body}.${changed.toString('base64url')}`],
    ['other claims under the signature', `${head}.${otherBody}.${signature}`],
    ['no signature', `${head}.${body}.`],
    ['two parts', `${head}.${body}`],
    ['issuer', forged({ iss: `https://sts.windows.net/${appId}/` })],
    ['tenant', forged({ tid: appId })],
    ['version', forged({ ver: '2.0' })],
    ['audience list', forged({ aud: [vault] })],
    ['subject is not the object', forged({ sub: appId })],
    ['unknown principal', forged({ oid: appId, sub: appId })],
    ['application of another', forged({ appid: objectId })],
    ['over', forged({ exp: now - 31 })],
    ['not yet', forged({ nbf: now + 60 })],
    ['exp is text', forged({ exp: String(now + 60) })],
    ['no exp', forged({ exp: undefined })],
    ['no nbf', forged({ nbf: undefined })],
  ];
  for (const [what, token] of table) {
    assert.equal(await identity.verifier.verify(await token, 'vault'), undefined, what);
  }
});

test('times and principal are looked at on every call, the signature once', async () => {
  const own = await identity.principals.create('remembered');
  const { token, expiresAt } = await identity.issuer.issue(identity.principals.require(own.appId), vault, '1');
  const verifier = new JwtTokenVerifier({
    keys: signingKeys,
    audiences: identity.audiences,
    tenantId,
    principal: (id) => store.byObjectId(id),
    now: () => time,
  });
  let time = identity.now();
  for (let count = 0; count < 5; count += 1) assert.ok(await verifier.verify(token, 'vault'));
  assert.equal(verifier.figures.signatures, 1);
  const table: readonly [number, boolean][] = [
    [expiresAt * 1000 - 1, true],
    [expiresAt * 1000 + leeway - 1, true],
    [expiresAt * 1000 - 3600_000 - leeway - 1000, false],
    [expiresAt * 1000 - 3600_000, true],
    [expiresAt * 1000 + leeway, false],
  ];
  for (const [at, isGood] of table) {
    time = at;
    assert.equal((await verifier.verify(token, 'vault')) !== undefined, isGood, String(at - expiresAt * 1000));
  }
  assert.equal(verifier.figures.remembered, 0, 'what is over is forgotten');
  time = identity.now();
  assert.ok(await verifier.verify(token, 'vault'));
  const disable = 'UPDATE service_principals SET enabled = ? WHERE object_id = ?';
  server.database.change(disable, 0, own.objectId);
  assert.equal(await verifier.verify(token, 'vault'), undefined);
  server.database.change(disable, 1, own.objectId);
  assert.ok(await verifier.verify(token, 'vault'));
  identity.principals.delete(own.objectId);
  assert.equal(await verifier.verify(token, 'vault'), undefined);
});

test('a bounded number of tokens is remembered, last used last to go; refused ones take no place', async () => {
  const verifier = new JwtTokenVerifier({
    keys: signingKeys,
    audiences: identity.audiences,
    tenantId,
    principal: (id) => store.byObjectId(id),
    now: identity.now,
    cacheSize: 3,
  });
  const tokens = await Promise.all(
    [0, 1, 2, 3].map(async () => (await identity.issuer.issue(principal, vault, '1')).token),
  );
  assert.equal(new Set(tokens).size, 4);
  const [first = '', second = '', third = '', fourth = ''] = tokens;
  for (const token of [first, second, third, first, fourth]) assert.ok(await verifier.verify(token, 'vault'));
  assert.deepEqual(verifier.figures, { remembered: 3, signatures: 4 });
  assert.ok(await verifier.verify(first, 'vault'));
  assert.deepEqual(verifier.figures, { remembered: 3, signatures: 4 });
  assert.ok(await verifier.verify(second, 'vault'));
  assert.deepEqual(verifier.figures, { remembered: 3, signatures: 5 });
  const [head = '', body = ''] = first.split('.');
  for (let count = 0; count < 200; count += 1) {
    const hostile = `${head}.${body}.${randomBytes(256).toString('base64url')}`;
    assert.equal(await verifier.verify(hostile, 'vault'), undefined);
  }
  assert.equal(await verifier.verify('x'.repeat(64 * 1024), 'vault'), undefined);
  assert.equal(verifier.figures.remembered, 3);
});

test('no token makes it throw', async () => {
  const good = await forged();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.tuple(fc.json(), fc.json(), fc.string()).map(([head, body, tail]) => {
          const part = (text: string): string => Buffer.from(text).toString('base64url');
          return `${part(head)}.${part(body)}.${part(tail)}`;
        }),
        fc
          .tuple(fc.nat(good.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }))
          .filter(([at, text]) => good.slice(at, at + text.length) !== text)
          .map(([at, text]) => good.slice(0, at) + text + good.slice(at + text.length)),
      ),
      async (token) => {
        const result = await identity.verifier.verify(token, 'vault');
        // The last character of base64url has bits that mean nothing.
        if (result !== undefined) assert.equal(token.slice(0, -1), good.slice(0, -1));
      },
    ),
  );
});

test('tokens of a key that has left the JWKS are over long before that', async () => {
  const { token } = await identity.issuer.issue(principal, vault, '1');
  const before = (await signingKeys.signer()).kid;
  server.pass(25 * 24 * 3600_000);
  await signingKeys.published();
  await signingKeys.settled();
  server.pass(6 * 24 * 3600_000);
  assert.notEqual((await signingKeys.signer()).kid, before);
  assert.equal(await identity.verifier.verify(token, 'vault'), undefined);
  const renewed = await identity.issuer.issue(principal, vault, '1');
  assert.ok(await identity.verifier.verify(renewed.token, 'vault'));
  assert.ok(await signingKeys.publicKey(before), 'still known for a day');
});

test('names of vaults other than the first are taken too', () => {
  const audiences = new Audiences({
    serverNames: ['kannuki.example'],
    vaultDnsSuffixes: ['vault.localhost', 'v.example'],
  });
  assert.equal(audiences.isFor('https://v.example:1234', 'vault'), true);
  assert.equal(audiences.isFor('https://kannuki.example:1234/', 'vault'), false);
});
