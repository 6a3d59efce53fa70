import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { escrowBlob, escrowPassphrase } from '../escrow/escrow.ts';
import { generatePassphrase } from '../escrow/passphrase.ts';
import { releaseBlob, releasePassphrase } from '../escrow/release.ts';
import { maximumSecretBytes, secretLimits } from '../limits.ts';
import { isSameVersion, parseObjectId } from '../object-id.ts';
import { type VaultPort, type WrapAlgorithm, wrapAlgorithms } from '../port.ts';

/** A vault to try a driver on, with what a test needs beside the port. Closed when the suite ends. */
export interface ConformanceSubject extends AsyncDisposable {
  readonly vault: VaultPort;
  /** Makes an RSA key of 2048 bits that may wrap and unwrap; a further version where the name is taken. @returns its versioned id */
  createKek(name: string): Promise<string>;
  /** Forbids the use of a version of a key that is not the newest. */
  disableKey?(keyId: string): Promise<void>;
  disableSecret?(secretId: string): Promise<void>;
  /** What the owner does with a version that `VaultPort.disableSecret` has disabled, to have it back. */
  enableSecret(secretId: string): Promise<void>;
  /** Calls that the vault must refuse to this caller, by name. */
  readonly forbidden?: Readonly<Record<string, () => Promise<unknown>>>;
  /** The same driver, set up for an address where nobody ever answers; it must give up soon. */
  readonly unreachable?: VaultPort;
}

export interface ConformanceCapabilities {
  readonly algorithms: readonly WrapAlgorithm[];
  /** What this kind of vault does not have, and why: it has no such test. */
  readonly without?: Readonly<Partial<Record<'disabledKey' | 'disabledSecret' | 'forbidden' | 'unreachable', string>>>;
}

/** Longer than any time-out that a subject may be set up with. */
const patienceMilliseconds = 20_000;
const plain = { contentType: null, tags: {} } as const;
const parallelSets = 20;

/** The contract of VaultPort as tests; every driver runs them (node:test registers them). */
export function vaultConformance(
  name: string,
  makeSubject: () => Promise<ConformanceSubject>,
  { algorithms, without = {} }: ConformanceCapabilities,
): void {
  describe(`conformance of ${name}`, { timeout: 6 * patienceMilliseconds }, () => {
    let subject: ConformanceSubject;
    let vault: VaultPort;
    let older: string;
    let newer: string;
    const itWith = (part: keyof typeof without, says: string, check: () => Promise<void>): void => {
      if (without[part] === undefined) it(says, { timeout: patienceMilliseconds }, check);
    };

    before(async () => {
      subject = await makeSubject();
      ({ vault } = subject);
      older = await subject.createKek('kek');
      newer = await subject.createKek('kek');
    });
    after(() => subject[Symbol.asyncDispose]());

    it('names versions as Azure does, and tells the newest where none is named', async () => {
      for (const id of [older, newer]) assertVersioned(id, 'keys', 'kek');
      assert.ok(!isSameVersion(older, newer, 'keys'));
      const unversioned = withoutVersion(newer);
      const [first, last, newest] = await Promise.all([older, newer, unversioned].map((id) => vault.keyInfo(id)));
      assert.equal(first?.id, older);
      assert.equal(last?.id, newer);
      assert.deepEqual(newest, last);
      assert.deepEqual([last?.kind.slice(0, 3), last?.bits, last?.enabled], ['RSA', 2048, true]);
      for (const operation of ['wrapKey', 'unwrapKey']) assert.ok(last?.operations.includes(operation), operation);
    });

    for (const algorithm of wrapAlgorithms) {
      if (!algorithms.includes(algorithm)) {
        it(`says that it cannot do ${algorithm}`, async () => {
          using value = generatePassphrase();
          await rejected('KNK-KVT-0026', () => vault.wrapKey(newer, algorithm, value));
          await rejected('KNK-KVT-0026', () => vault.unwrapKey(newer, algorithm, Buffer.alloc(256)));
        });
        continue;
      }

      it(`wraps and unwraps with ${algorithm}, by version and by name`, async () => {
        const longest = 256 - (algorithm === 'RSA-OAEP' ? 42 : 66);
        for (const length of [1, 172, longest]) {
          using value = SecretBytes.random(length);
          const wrapped = await vault.wrapKey(withoutVersion(newer), algorithm, value);
          assert.ok(isSameVersion(wrapped.keyId, newer, 'keys'), 'the newest version wraps');
          assert.equal(wrapped.value.length, 256);
          for (const id of [newer, withoutVersion(newer)]) {
            using opened = await vault.unwrapKey(id, algorithm, wrapped.value);
            assert.ok(opened.equals(value));
          }
        }
        using value = SecretBytes.random(32);
        const [one, other] = await Promise.all([1, 2].map(() => vault.wrapKey(older, algorithm, value)));
        assert.ok(one !== undefined && other !== undefined);
        assert.ok(isSameVersion(one.keyId, older, 'keys'), 'an older version wraps when it is named');
        assert.notDeepEqual(one.value, other.value);
        using opened = await vault.unwrapKey(older, algorithm, one.value);
        assert.ok(opened.equals(value));
        using tooLong = SecretBytes.random(longest + 1);
        await rejected('KNK-KVT-0018', () => vault.wrapKey(newer, algorithm, tooLong));
      });

      it(`has one error for whatever is wrong with a ciphertext of ${algorithm}`, async () => {
        using value = generatePassphrase();
        const { value: good } = await vault.wrapKey(newer, algorithm, value);
        const { value: ofOlder } = await vault.wrapKey(older, algorithm, value);
        const flipped = (at: number): Uint8Array => good.map((byte, index) => (index === at ? byte ^ 1 : byte));
        const wrong: Readonly<Record<string, Uint8Array>> = {
          'of another version': ofOlder,
          'first bit': flipped(0),
          'last bit': flipped(255),
          'too short': good.subarray(1),
          'too long': Buffer.concat([good, Buffer.of(0)]),
          zeros: Buffer.alloc(256),
          'larger than the modulus': Buffer.alloc(256, 255),
          'one byte': Buffer.of(1),
        };
        const texts = new Set<string>();
        for (const [what, ciphertext] of Object.entries(wrong)) {
          const error = await rejected('KNK-KVT-0018', () => vault.unwrapKey(newer, algorithm, ciphertext), what);
          texts.add(inspect({ text: error.message, cause: error.cause }));
        }
        assert.equal(texts.size, 1, [...texts].join('\n'));
        for (const other of algorithms.filter((one) => one !== algorithm)) {
          await rejected('KNK-KVT-0018', () => vault.unwrapKey(newer, other, good));
        }
      });
    }

    it('keeps secrets of every size, to the byte', async () => {
      const edges = [
        '\0',
        '\u007f\u0080\u07ff\u0800\uffff',
        '\u{10ffff}',
        '\ufeffmark',
        '\r\n\t "\\/\u2028',
        'ö日本😀 ',
      ];
      const sizes = [1, 2, 3, 172, 1023, maximumSecretBytes - 1, maximumSecretBytes];
      const values = [
        ...edges.map((text) => Buffer.from(text)),
        ...sizes.map((size) => Buffer.alloc(size, 'Kn')),
        Buffer.from('"'.repeat(maximumSecretBytes)),
        Buffer.from(`${'日'.repeat((maximumSecretBytes - 1) / 3)}x`),
      ];
      for (const bytes of values) {
        using value = SecretBytes.copy(bytes);
        const { id } = await vault.setSecret('sizes', value, plain);
        const stored = await vault.getSecret(id);
        using read = stored.value;
        assert.ok(read.equals(value), `${bytes.length} bytes: ${JSON.stringify(bytes.subarray(0, 20).toString())}`);
        assert.deepEqual([stored.id, stored.enabled, stored.contentType, stored.tags], [id, true, null, {}]);
      }
    });

    it('keeps content type and tags with each version', async () => {
      const long = 'x'.repeat(secretLimits.tagValue);
      const tags = Object.fromEntries(Array.from({ length: secretLimits.tags }, (_, at) => [`tag ${at}`, `${at}日`]));
      const wanted = [
        { contentType: 'Wrapped BEK', tags: { DiskEncryptionKeyFileName: 'f', Empty: '', Quoted: '"\\' } },
        { contentType: 'x'.repeat(secretLimits.contentType), tags },
        { contentType: null, tags: { value: 'not the value', contentType: 'not it', long } },
        { contentType: 'text/plain', tags: {} },
      ];
      const ids: string[] = [];
      for (const [at, attributes] of wanted.entries()) {
        using value = textOf(`value ${at}`);
        ids.push((await vault.setSecret('tagged', value, attributes)).id);
      }
      for (const [at, attributes] of wanted.entries()) {
        const { value, contentType, tags: read } = await vault.getSecret(ids[at] ?? '');
        using secret = value;
        assert.deepEqual({ contentType, tags: read }, attributes);
        assert.equal(Buffer.from(secret.bytes).toString(), `value ${at}`);
      }
    });

    it('makes a version of each set, keeps the old ones, and answers the newest by name', async () => {
      const ids: string[] = [];
      // More than a vault keeps that forgets old versions (ten are the default of KV version 2).
      for (let at = 0; at < 14; at += 1) {
        using value = textOf(`version ${at}`);
        const { id } = await vault.setSecret('versions', value, plain);
        assertVersioned(id, 'secrets', 'versions');
        ids.push(id);
        const newest = await vault.getSecret(withoutVersion(id));
        using read = newest.value;
        assert.equal(newest.id, id);
        assert.ok(read.equals(value));
      }
      assert.equal(new Set(ids).size, ids.length);
      for (const [at, id] of ids.entries()) assert.equal(await textIn(vault, id), `version ${at}`);
    });

    it('takes ids in any letter case and with a slash at the end', async () => {
      using value = textOf('case');
      const { id } = await vault.setSecret('Case', value, plain);
      const { host } = new URL(id);
      for (const form of [`${id}/`, `${withoutVersion(id)}/`, id.replace(host, host.toUpperCase())]) {
        assert.equal(await textIn(vault, form), 'case', form);
      }
      assert.equal((await vault.keyInfo(`${newer}/`)).id, newer);
    });

    it(`gives ${parallelSets} sets at once a version each`, async () => {
      const ids = await Promise.all(
        Array.from({ length: parallelSets }, async (_, at) => {
          using value = textOf(`parallel ${at}`);
          return (await vault.setSecret('parallel', value, { contentType: `${at}`, tags: {} })).id;
        }),
      );
      assert.equal(new Set(ids).size, parallelSets);
      const texts = await Promise.all(ids.map((id) => textIn(vault, id)));
      assert.deepEqual(
        texts,
        ids.map((_, at) => `parallel ${at}`),
      );
      const newest = await vault.getSecret(withoutVersion(ids[0] ?? ''));
      newest.value[Symbol.dispose]();
      assert.ok(ids.includes(newest.id));
    });

    it('tells what is not there', async () => {
      using value = textOf('here');
      const { id } = await vault.setSecret('here', value, plain);
      using wrong = generatePassphrase();
      const algorithm = algorithms[0] ?? 'RSA-OAEP';
      const missingKeys = [sibling(newer, 'none'), otherVersion(newer), newer.replace('//', '//other.')];
      const missingSecrets = [sibling(id, 'none'), otherVersion(id), id.replace('//', '//other.')];
      for (const key of missingKeys) {
        await rejected('KNK-KVT-0003', () => vault.keyInfo(key), key);
        await rejected('KNK-KVT-0003', () => vault.wrapKey(key, algorithm, wrong), key);
        await rejected('KNK-KVT-0003', () => vault.unwrapKey(key, algorithm, Buffer.alloc(256)), key);
      }
      for (const secret of missingSecrets) await rejected('KNK-KVT-0003', () => vault.getSecret(secret), secret);
    });

    it('refuses names, ids and values that no vault takes', async () => {
      using value = textOf('value');
      const set = (name: string) => () => vault.setSecret(name, value, plain);
      for (const bad of ['', 'a b', 'a/b', '../a', 'a_b', 'ö', 'x'.repeat(128), 'a\n', 'a?b=c', '%61']) {
        await rejected('KNK-KVT-0008', set(bad), bad);
        await rejected('KNK-KVT-0008', () => vault.getSecret(sibling(newer, bad).replace('/keys/', '/secrets/')), bad);
        await rejected('KNK-KVT-0008', () => vault.keyInfo(sibling(newer, bad)), bad);
      }
      const badIds = ['', 'kek', newer.replace('/keys/', '/secrets/'), `${withoutVersion(newer)}/1`, `${newer}/x`];
      for (const id of badIds) await rejected('KNK-KVT-0008', () => vault.keyInfo(id), id);
      const of = (bytes: Uint8Array) => async () => {
        using unfit = SecretBytes.copy(bytes);
        return await vault.setSecret('unfit', unfit, plain);
      };
      await rejected('KNK-KVT-0007', of(Buffer.alloc(0)), 'empty');
      await rejected('KNK-KVT-0007', of(Buffer.alloc(maximumSecretBytes + 1, 'x')), 'too long');
      await rejected('KNK-KVT-0007', of(Buffer.of(0xc3, 0x28)), 'not UTF-8');
      const tags = Object.fromEntries(Array.from({ length: secretLimits.tags + 1 }, (_, at) => [`${at}`, '']));
      const tooMuch = [
        { contentType: null, tags },
        { contentType: null, tags: { '': 'x' } },
        { contentType: null, tags: { a: 'x'.repeat(secretLimits.tagValue + 1) } },
        { contentType: 'x'.repeat(secretLimits.contentType + 1), tags: {} },
      ];
      for (const attributes of tooMuch) {
        await rejected('KNK-KVT-0007', () => vault.setSecret('unfit', value, attributes));
      }
      await rejected('KNK-KVT-0003', () => vault.getSecret(sibling(newer, 'unfit').replace('/keys/', '/secrets/')));
    });

    it('escrows and releases', async () => {
      using passphrase = generatePassphrase();
      for (const kekId of [newer, withoutVersion(newer), null]) {
        for (const algorithm of [undefined, ...algorithms]) {
          const options = {
            passphrase,
            secretName: 'volume',
            kekId,
            machineName: '日本',
            volumeLetter: '/',
          };
          const receipt = await escrowPassphrase(vault, algorithm === undefined ? options : { ...options, algorithm });
          using released = await releasePassphrase(vault, receipt);
          assert.ok(released.equals(passphrase));
        }
      }
      using blob = SecretBytes.take(Buffer.alloc(maximumSecretBytes, '{"header":"record"}'));
      using record = await releaseBlob(vault, await escrowBlob(vault, { blob, secretName: 'header' }));
      assert.ok(record.equals(blob));
    });

    itWith('disabledKey', 'refuses a disabled version of a key', async () => {
      const old = await subject.createKek('disabled');
      const current = await subject.createKek('disabled');
      using value = generatePassphrase();
      const algorithm = algorithms[0] ?? 'RSA-OAEP';
      const { value: wrapped } = await vault.wrapKey(old, algorithm, value);
      await subject.disableKey?.(old);
      assert.equal((await vault.keyInfo(old)).enabled, false);
      await rejected('KNK-KVT-0004', () => vault.wrapKey(old, algorithm, value));
      await rejected('KNK-KVT-0004', () => vault.unwrapKey(old, algorithm, wrapped));
      await rejected('KNK-KVT-0005', () =>
        escrowPassphrase(vault, { passphrase: value, secretName: 'none', kekId: old, algorithm }),
      );
      assert.equal((await vault.keyInfo(current)).enabled, true);
    });

    itWith('disabledSecret', 'refuses a disabled secret', async () => {
      using value = textOf('value');
      const { id } = await vault.setSecret('disabled', value, plain);
      await subject.disableSecret?.(id);
      await rejected('KNK-KVT-0004', () => vault.getSecret(id));
    });

    it('disables every version of a secret and destroys none', async () => {
      const ids: string[] = [];
      for (const text of ['one', 'two']) {
        using value = textOf(text);
        ids.push((await vault.setSecret('retired', value, plain)).id);
      }
      // Twice, for who was cut in between does it again.
      for (const _ of [1, 2]) {
        await vault.disableSecret('retired');
        for (const id of [...ids, withoutVersion(ids[0] ?? '')]) {
          await rejected(
            without.disabledSecret === undefined ? 'KNK-KVT-0004' : 'KNK-KVT-0003',
            () => vault.getSecret(id),
            id,
          );
        }
      }
      for (const [at, id] of ids.entries()) {
        await subject.enableSecret(id);
        assert.equal(await textIn(vault, id), ['one', 'two'][at]);
      }
      await rejected('KNK-KVT-0003', () => vault.disableSecret('none'));
      await rejected('KNK-KVT-0008', () => vault.disableSecret('../a'));
    });

    itWith('forbidden', 'says when the caller may not', async () => {
      const calls = Object.entries(subject.forbidden ?? {});
      assert.notEqual(calls.length, 0);
      for (const [what, call] of calls) await rejected('KNK-KVT-0002', call, what);
    });

    itWith('unreachable', 'gives up on a vault that does not answer', async () => {
      const silent = subject.unreachable;
      assert.ok(silent !== undefined);
      using value = generatePassphrase();
      const algorithm = algorithms[0] ?? 'RSA-OAEP';
      const { host } = new URL(silent.vaultUri);
      const key = `https://${host}/keys/kek/${'0'.repeat(31)}1`;
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        keyInfo: () => silent.keyInfo(key),
        wrapKey: () => silent.wrapKey(key, algorithm, value),
        unwrapKey: () => silent.unwrapKey(key, algorithm, Buffer.alloc(256)),
        setSecret: () => silent.setSecret('name', value, plain),
        getSecret: () => silent.getSecret(key.replace('/keys/', '/secrets/')),
        disableSecret: () => silent.disableSecret('name'),
      };
      await Promise.all(Object.entries(calls).map(([what, call]) => rejected('KNK-KVT-0001', call, what)));
    });
  });
}

/** The call must fail with this error of the catalogue, told wholly in both languages and without any value in it. */
async function rejected(code: string, call: () => Promise<unknown>, what = ''): Promise<KannukiError> {
  const error: unknown = await call().then(
    (result) => assert.fail(`${what} was taken: ${inspect(result)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError, `${what}: ${inspect(error)}`);
  assert.equal(error.code, code, `${what}: ${error.message}`);
  assert.doesNotMatch(`${error.describe('en')}${error.describe('ja')}`, /\{\w+\}/, 'every detail is there');
  return error;
}

function assertVersioned(id: string, collection: 'keys' | 'secrets', name: string): void {
  const parsed = parseObjectId(id, collection);
  assert.ok(parsed !== undefined && parsed.version !== null, id);
  assert.equal(parsed.name.toLowerCase(), name);
}

function withoutVersion(id: string): string {
  return id.slice(0, id.lastIndexOf('/'));
}

function otherVersion(id: string): string {
  return `${withoutVersion(id)}/${'f'.repeat(32)}`;
}

/** The same collection and version, another name. */
function sibling(id: string, name: string): string {
  const [scheme, , host, collection, , version] = id.split('/');
  return `${scheme}//${host}/${collection}/${name}/${version}`;
}

function textOf(text: string): SecretBytes {
  return SecretBytes.take(Buffer.from(text));
}

async function textIn(vault: VaultPort, id: string): Promise<string> {
  const { value } = await vault.getSecret(id);
  using secret = value;
  return Buffer.from(secret.bytes).toString();
}
