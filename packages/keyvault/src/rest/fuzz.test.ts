import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MemoryDataPlane } from '../testing/memory-data-plane.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';

/** Requests of every degree of nonsense: none may end in a 5xx, in anything but Azure's shape, or without a record. */

const runs = Number(process.env.KANNUKI_FUZZ_RUNS ?? '1500');
const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', '', '__proto__');
const segment = fc.oneof(
  words(
    'keys secrets deletedkeys deletedsecrets rng restore create versions backup rotate rotationpolicy recover encrypt ' +
      'decrypt wrapkey unwrapkey sign verify release k s ec __proto__ constructor . .. %2F %00 % é',
  ),
  fc.constantFrom('', 'a'.repeat(200), '0'.repeat(32), 'F'.repeat(32)),
  fc.string({ maxLength: 12 }),
);
const path = fc.oneof(
  { weight: 5, arbitrary: fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom('k', 'ec', 's', 'none'),
        fc.constantFrom('wrapkey', 'unwrapkey', 'sign', 'verify', 'create', ''),
      )
      .map(([name, verb]) => `/keys/${name}/${verb}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('/secrets/s', '/keys/imported', '/rng', '/keys/restore', '/secrets/restore'),
  },
);
const query = fc.oneof(
  { weight: 6, arbitrary: fc.constant('api-version=7.4') },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('api%2Dversion', '$skiptoken', 'maxresults', '%'), fc.string({ maxLength: 20 }))
      .map(([name, value]) => `api-version=7.4&${name}=${value}`),
  },
);
const known = words(
  'kty key_size crv key_ops attributes tags key Hsm alg value digest n e d p q dp dq qi x y enabled exp nbf count ' +
    'lifetimeActions trigger action type timeAfterCreate expiryTime contentType release_policy __proto__',
);
const sensible: fc.Arbitrary<unknown> = fc.oneof(
  words('RSA EC RSA-HSM oct P-256 RSA-OAEP RSA1_5 ES256 RS256 Rotate P30D AAAA'),
  fc.constantFrom(2048, 0, -1, 1e300, true, null),
  fc.constantFrom(32, 256).map((length) => Buffer.alloc(length).toString('base64url')),
);
const { members } = fc.letrec((tie) => ({
  leaf: fc.oneof(sensible, fc.string({ maxLength: 20 }), fc.jsonValue({ maxDepth: 1 })),
  members: fc.dictionary(fc.oneof({ weight: 9, arbitrary: known }, fc.string()), tie('member'), { maxKeys: 8 }),
  member: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('members'), fc.array(tie('leaf'), { maxLength: 3 })),
}));
const body = fc.oneof(
  { weight: 6, arbitrary: members.map((object) => Buffer.from(JSON.stringify(object))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 2,
    arbitrary: fc.tuple(members, fc.nat(), fc.nat(255)).map(([object, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(object));
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  },
);

const refusal = /^\{"error":\{"code":"[A-Za-z]+","message":".+"(,"innererror":\{"code":"[A-Za-z]+"\})?\}\}$/;

interface Sample {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

const digest = Buffer.alloc(32, 7).toString('base64url');
const algorithms = words('RS256 PS512 RSNULL ES256 ES512 ES256K RSA-OAEP RSA-OAEP-256 RSA1_5');
const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const ecJwk = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' });
const details = { attributes: { enabled: true, nbf: 1, exp: 4_000_000_000 }, tags: { a: 'b' } };
const samples: readonly Sample[] = [
  { method: 'POST', path: '/keys/made/create', body: { kty: 'EC', crv: 'P-256', key_ops: ['sign'], ...details } },
  { method: 'PUT', path: '/keys/imported', body: { key: { ...jwk, key_ops: ['sign'] }, Hsm: false, ...details } },
  { method: 'PUT', path: '/keys/imported', body: { key: ecJwk, ...details } },
  { method: 'PATCH', path: '/keys/patched', body: { key_ops: ['sign', 'verify'], ...details } },
  ...['k', 'ec'].flatMap((name) => [
    ...['encrypt', 'decrypt', 'wrapkey', 'unwrapkey', 'sign'].map((verb) => ({
      method: 'POST',
      path: `/keys/${name}/${verb}`,
      body: { alg: 'RS256', value: digest },
    })),
    { method: 'POST', path: `/keys/${name}/verify`, body: { alg: 'ES256', digest, value: `${digest}AA${digest}` } },
  ]),
  {
    method: 'PUT',
    path: '/keys/k/rotationpolicy',
    body: {
      lifetimeActions: [
        { trigger: { timeAfterCreate: 'P30D' }, action: { type: 'Rotate' } },
        { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } },
      ],
      attributes: { expiryTime: 'P90D' },
    },
  },
  { method: 'PUT', path: '/secrets/s', body: { value: 'v', contentType: 'text/plain', ...details } },
  { method: 'PATCH', path: '/secrets/s', body: { contentType: 'text/plain', ...details } },
  { method: 'POST', path: '/rng', body: { count: 16 } },
];
const replacement = fc.oneof(
  { weight: 3, arbitrary: algorithms },
  {
    weight: 3,
    arbitrary: words('P1D P0Y P99999999999999D PT1S P1Y2M PYMD P30D P2Y verify wrapKey P-521 rotate RSA-HSM'),
  },
  { weight: 4, arbitrary: sensible },
  { weight: 2, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 2, arbitrary: fc.integer({ min: -1, max: 300 }).map((length) => (length < 0 ? 1e20 : 'A'.repeat(length))) },
);

/** The same with one value, however deep, replaced, cut or gone. */
function spoilt(value: unknown, at: number, by: unknown): unknown {
  if (Array.isArray(value) && value.length > 0) {
    return value.map((item: unknown, index) => (index === at % value.length ? spoilt(item, at >> 2, by) : item));
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    const entries = Object.entries(value);
    const chosen = at % entries.length;
    if (at % 11 === 0) return Object.fromEntries(entries.filter((_, index) => index !== chosen));
    return Object.fromEntries(
      entries.map(([name, item], index) => [name, index === chosen ? spoilt(item, at >> 3, by) : item]),
    );
  }
  return typeof value === 'string' && at % 3 === 0 ? value.slice(0, at % (value.length + 1)) : by;
}

class Target implements AsyncDisposable {
  readonly service: MemoryDataPlane;
  readonly #scratch: ScratchVault;

  private constructor(scratch: ScratchVault) {
    this.#scratch = scratch;
    this.service = new MemoryDataPlane({ objects: () => scratch.vault });
  }

  static async make(): Promise<Target> {
    const target = new Target(await ScratchVault.make('kv1'));
    const { service } = target;
    for (const name of ['k', 'patched']) await service.send('POST', `/keys/${name}/create`, { kty: 'RSA' });
    await service.send('POST', '/keys/ec/create', { kty: 'EC' });
    await service.send('PUT', '/secrets/s', { value: 'v' });
    return target;
  }

  async assertHandled(verb: string, path: string, asked: string, bytes: Uint8Array | object): Promise<void> {
    this.service.records.length = 0;
    const { status, text, reply } = await this.service.send(verb, `${path}?${asked}`, bytes);
    const sent = bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : JSON.stringify(bytes);
    assert.ok(status < 500, `${verb} ${path} ${sent} → ${text} ${String(reply.failure)}`);
    if (status >= 400) assert.match(text, refusal);
    assert.deepEqual(
      this.service.records.map((record) => record.status),
      [status],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

describe('requests that are', () => {
  it('malformed in every way are refused in the shape of Azure, audited, and never an error of the server', async () => {
    await using target = await Target.make();
    await fc.assert(
      fc.asyncProperty(method, path, query, body, (verb, where, asked, bytes) =>
        target.assertHandled(verb, where.replaceAll('?', ''), asked, bytes),
      ),
      { numRuns: runs },
    );
  });

  it('right but for one value are no error of the server either', async () => {
    await using target = await Target.make();
    const sample = fc.constantFrom(...samples);
    await fc.assert(
      fc.asyncProperty(sample, fc.nat(), replacement, async ({ method: verb, path: where, body: right }, at, by) => {
        const wrong = spoilt(right, at, by);
        await target.assertHandled(verb, where, 'api-version=7.4', Buffer.from(JSON.stringify(wrong)));
      }),
      { numRuns: runs / 2 },
    );
  });

  it('restores of broken backups are refused', async () => {
    await using target = await Target.make();
    for (const collection of ['keys/k', 'secrets/s']) {
      const { text } = await target.service.send('POST', `/${collection}/backup`);
      const backup = Buffer.from((JSON.parse(text) as { value: string }).value, 'base64url');
      const restore = `/${collection.split('/')[0]}/restore`;
      await fc.assert(
        fc.asyncProperty(
          fc.nat(backup.length - 1),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          async (at, bit, cut) => {
            const broken = Buffer.from(cut ? backup.subarray(0, at) : backup);
            if (!cut) broken[at] = (broken[at] ?? 0) ^ bit;
            const answer = await target.service.send('POST', restore, { value: broken.toString('base64url') });
            assert.equal(answer.status, 400, `${collection} ${at} ${bit} ${cut} ${answer.text}`);
          },
        ),
        { numRuns: 60 },
      );
    }
  });
});

function words(list: string): fc.Arbitrary<string> {
  return fc.constantFrom(...list.split(' '));
}
