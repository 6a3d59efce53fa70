import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MemoryDataPlane } from '../testing/memory-data-plane.ts';

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

describe('malformed requests', () => {
  it('are refused in the shape of Azure, audited, and never an error of the server', async () => {
    const service = new MemoryDataPlane();
    await service.send('POST', '/keys/k/create', { kty: 'RSA' });
    await service.send('POST', '/keys/ec/create', { kty: 'EC' });
    await service.send('PUT', '/secrets/s', { value: 'v' });
    await fc.assert(
      fc.asyncProperty(method, path, query, body, async (verb, target, asked, bytes) => {
        const before = service.records.length;
        const answer = await service.send(verb, `${target.replaceAll('?', '')}?${asked}`, bytes);
        assert.ok(
          answer.status < 500,
          `${verb} ${target} ${bytes.toString()} → ${answer.text} ${String(answer.reply.failure)}`,
        );
        if (answer.status >= 400) {
          assert.match(
            answer.text,
            /^\{"error":\{"code":"[A-Za-z]+","message":".+"(,"innererror":\{"code":"[A-Za-z]+"\})?\}\}$/,
          );
        }
        assert.equal(service.records.length, before + 1);
        assert.equal(service.records.at(-1)?.status, answer.status);
        service.records.length = 0;
      }),
      { numRuns: runs },
    );
  });
});

function words(list: string): fc.Arbitrary<string> {
  return fc.constantFrom(...list.split(' '));
}
