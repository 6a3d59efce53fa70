import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { after, afterEach, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type ErrorCode, SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { releasePassphrase } from '../escrow/release.ts';
import { OpenBaoServer } from '../testing/openbao-server.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { listenSilently } from '../testing/silent-listener.ts';
import { makeCertificates, serveTls, type TestCertificates } from '../testing/tls-server.ts';
import { type ConformanceSubject, vaultConformance } from '../testing/vault-conformance.ts';
import { parseOpenBaoAddress } from './address.ts';
import { decodeWithSecret, encodeWithSecret, secretPlace } from './bao-json.ts';
import { OpenBaoVault } from './openbao-vault.ts';
import { idOf, versionNumber } from './version-id.ts';

const plain = { contentType: null, tags: {} } as const;

async function privateFile(folder: ScratchFolder, name: string, content: string | Uint8Array): Promise<string> {
  const file = folder.file(name);
  await writeFile(file, content, { mode: 0o600 });
  await chmod(file, 0o600);
  return file;
}

interface Bao extends AsyncDisposable {
  readonly server: OpenBaoServer;
  readonly folder: ScratchFolder;
  readonly certificates: TestCertificates;
  /** The address, with what a test adds to it. */
  address(more?: string, host?: string): string;
}

async function startBao(): Promise<Bao> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await ScratchFolder.make());
  const certificates = await makeCertificates(folder, 'bao');
  const server = stack.use(await OpenBaoServer.start(certificates));
  const ca = await privateFile(folder, 'ca.pem', certificates.authority);
  const token = await privateFile(folder, 'token', 'hvs.root\n');
  server.allow('hvs.root', 'transit/', 'secret/');
  const kept = stack.move();
  return {
    server,
    folder,
    certificates,
    address: (more = `&token-file=${token}`, host = server.host) => `openbao+https://${host}/?ca=${ca}${more}`,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function open(address: string, seconds = 10): OpenBaoVault {
  return new OpenBaoVault(parseOpenBaoAddress(address), {
    connectTimeoutSeconds: seconds,
    totalTimeoutSeconds: seconds,
  });
}

async function subject(): Promise<ConformanceSubject> {
  await using stack = new AsyncDisposableStack();
  const bao = stack.use(await startBao());
  const silent = stack.use(await listenSilently());
  const vault = open(bao.address());
  bao.server.allow('hvs.other', 'transit/keys/elsewhere');
  const other = open(bao.address(`&token-file=${await privateFile(bao.folder, 'other', 'hvs.other')}`));
  const key = idOf(bao.server.host, 'keys', 'kek', 1);
  const value = SecretBytes.take(Buffer.from('x'));
  const kept = stack.move();
  return {
    vault,
    createKek: async (name) => idOf(bao.server.host, 'keys', name, bao.server.rotate(name)),
    disableKey: async (id) => {
      const [name = '', digits = ''] = id.split('/').slice(-2);
      bao.server.configure(name, { minDecryption: (versionNumber(digits) ?? 0) + 1 });
    },
    enableSecret: async (id) => {
      const [name = '', digits = ''] = id.split('/').slice(-2);
      bao.server.undelete(name, versionNumber(digits) ?? 0);
    },
    forbidden: {
      disableSecret: () => other.disableSecret('sizes'),
      keyInfo: () => other.keyInfo(key),
      wrapKey: () => other.wrapKey(key, 'RSA-OAEP-256', value),
      unwrapKey: () => other.unwrapKey(key, 'RSA-OAEP-256', Buffer.alloc(256)),
      setSecret: () => other.setSecret('forbidden', value, plain),
      getSecret: () => other.getSecret(idOf(bao.server.host, 'secrets', 'sizes', 1)),
    },
    unreachable: open(bao.address(undefined, `localhost:${silent.port}`), 0.4),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

vaultConformance('OpenBao', subject, {
  algorithms: ['RSA-OAEP-256'],
  without: { disabledSecret: 'KV deletes versions, it does not disable them' },
});

describe('the driver for OpenBao', () => {
  let bao: Bao;
  let vault: OpenBaoVault;
  before(async () => {
    bao = await startBao();
    vault = open(bao.address());
    bao.server.rotate('kek');
  });
  after(() => bao[Symbol.asyncDispose]());
  afterEach(() => {
    Object.assign(bao.server, {
      sealed: false,
      instead: undefined,
      namespace: undefined,
      beforeWrite: undefined,
      deleteVersionAfter: '',
    });
  });

  const value = (): SecretBytes => SecretBytes.take(Buffer.from('CANARY-value'));
  const fails = async (code: ErrorCode, call: () => Promise<unknown>, what = ''): Promise<void> => {
    await assert.rejects(call(), (error) => {
      assert.equal((error as { code?: string }).code, code, `${what} ${inspect(error)}`);
      assert.doesNotMatch(inspect(error), /CANARY|hvs\.|Q0FOQVJZ/);
      return true;
    });
  };
  const key = (version = 1): string => idOf(bao.server.host, 'keys', 'kek', version);

  it('never lets KV destroy a version', async () => {
    await vault.setSecret('kept', value(), plain);
    assert.equal(bao.server.entry('kept')?.maxVersions, 1000);
    for (let at = 0; at < 1000 - 2; at += 1) bao.server.write('kept', {});
    await vault.setSecret('kept', value(), plain);
    await fails('KNK-KVT-0007', () => vault.setSecret('kept', value(), plain));
    assert.equal(bao.server.entry('kept')?.versions.size, 1000, 'all are there, the first as well');
    bao.server.deleteVersionAfter = '1h';
    await fails('KNK-KVT-0007', () => vault.setSecret('ends', value(), plain));
  });

  it('takes no version of another writer for its own', async () => {
    let others = 3;
    bao.server.beforeWrite = () => {
      others -= 1;
      if (others >= 0) bao.server.write('raced', { of: 'another' });
    };
    const { id } = await vault.setSecret('raced', value(), plain);
    assert.equal(id, idOf(bao.server.host, 'secrets', 'raced', 4));
    await fails('KNK-KVT-0014', () => vault.getSecret(idOf(bao.server.host, 'secrets', 'raced', 1)));
    bao.server.beforeWrite = () => void bao.server.write('raced', {});
    await fails('KNK-KVT-0001', () => vault.setSecret('raced', value(), plain), 'and gives up some time');
  });

  it('never lets encrypt make a key', async () => {
    await fails('KNK-KVT-0003', () => vault.wrapKey(key().replace('kek', 'typo'), 'RSA-OAEP-256', value()));
    assert.deepEqual(bao.server.keyNames(), ['kek']);
  });

  it('needs but one request and the right to decrypt for a release', async () => {
    const wrapped = await vault.wrapKey(key(), 'RSA-OAEP-256', value());
    using stored = SecretBytes.take(Buffer.from(Buffer.from(wrapped.value).toString('base64url')));
    const { id: secretId } = await vault.setSecret('release', stored, { contentType: 'Wrapped BEK', tags: {} });
    bao.server.allow('hvs.boot', 'transit/decrypt/kek', 'secret/data/release');
    const boot = open(bao.address(`&token-file=${await privateFile(bao.folder, 'boot', 'hvs.boot')}`));
    bao.server.requests.length = 0;
    using released = await releasePassphrase(boot, {
      secretId,
      kekId: key(),
      algorithm: 'RSA-OAEP-256',
      contentType: 'Wrapped BEK',
      keyFileName: 'f',
    });
    assert.ok(released.equals(value()));
    assert.deepEqual(
      bao.server.requests.map(({ path }) => path),
      ['secret/data/release', 'transit/decrypt/kek'],
    );
  });

  it('tells kinds of keys apart, and versions that may not wrap any more', async () => {
    bao.server.rotate('symmetric', 'aes256-gcm96');
    bao.server.rotate('curve', 'ecdsa-p384');
    bao.server.rotate('large', 'rsa-3072');
    const info = (name: string) => vault.keyInfo(`${vault.vaultUri}keys/${name}`);
    await fails('KNK-KVT-0026', () => info('symmetric'));
    assert.deepEqual((({ kind, bits, operations }) => [kind, bits, operations])(await info('curve')), ['EC', 384, []]);
    assert.equal((await info('large')).bits, 3072);
    bao.server.rotate('large', 'rsa-3072');
    bao.server.configure('large', { minEncryption: 2 });
    const old = idOf(bao.server.host, 'keys', 'large', 1);
    assert.deepEqual((await vault.keyInfo(old)).operations, ['unwrapKey']);
    await fails('KNK-KVT-0002', () => vault.wrapKey(old, 'RSA-OAEP-256', value()));
  });

  it('signs in with AppRole, once for many calls, and again when the token ends or is revoked', async () => {
    const policy = { paths: ['secret/'] };
    bao.server.roles.set('role', { secretId: 'CANARY-secret-id', policy, seconds: 3600 });
    const roleId = await privateFile(bao.folder, 'role-id', 'role\n');
    const secretId = await privateFile(bao.folder, 'secret-id', 'CANARY-secret-id\n');
    const address = bao.address(`&role-id-file=${roleId}&secret-id-file=${secretId}`);
    using signedIn = open(address);
    const logins = (): number => bao.server.requests.filter(({ path }) => path === 'auth/approle/login').length;
    bao.server.requests.length = 0;
    await Promise.all(['a', 'b', 'c'].map((name) => signedIn.setSecret(name, value(), plain)));
    assert.equal(logins(), 1);
    bao.server.revokeTokens();
    bao.server.allow('hvs.root', 'transit/', 'secret/');
    await signedIn.setSecret('a', value(), plain);
    assert.equal(logins(), 2);
    bao.server.roles.set('role', { secretId: 'changed', policy, seconds: 3600 });
    using refused = open(address);
    await fails('KNK-KVT-0002', () => refused.setSecret('a', value(), plain));
  });

  it('takes its credential from a private file only', async () => {
    const readable = await privateFile(bao.folder, 'readable', 'hvs.root');
    const files: Readonly<Record<string, string>> = {
      missing: bao.folder.file('missing'),
      'a folder': bao.folder.path,
      empty: await privateFile(bao.folder, 'empty', '\n'),
      'too large': await privateFile(bao.folder, 'large', 'x'.repeat(70_000)),
      'for everybody': readable,
    };
    await chmod(readable, 0o644);
    for (const [what, file] of Object.entries(files)) {
      await fails('KNK-KVT-0051', () => open(bao.address(`&token-file=${file}`)).keyInfo(key()), what);
    }
    await fails('KNK-KVT-0014', async () =>
      open(bao.address(`&token-file=${await privateFile(bao.folder, 'lines', 'a\r\nX-Other: b')}`)).keyInfo(key()),
    );
  });

  it('names its namespace', async () => {
    bao.server.namespace = 'team/a';
    await fails('KNK-KVT-0003', () => vault.keyInfo(key()));
    const token = bao.folder.file('token');
    assert.equal((await open(bao.address(`&token-file=${token}&namespace=team/a`)).keyInfo(key())).id, key());
  });

  it('tells bad days apart', async () => {
    bao.server.sealed = true;
    await fails('KNK-KVT-0001', () => vault.keyInfo(key()), 'sealed');
    bao.server.sealed = false;
    const answers: readonly [number, unknown, ErrorCode][] = [
      [307, '', 'KNK-KVT-0001'],
      [401, { errors: [] }, 'KNK-KVT-0002'],
      [403, '<html>', 'KNK-KVT-0002'],
      [429, { errors: [] }, 'KNK-KVT-0028'],
      [473, '', 'KNK-KVT-0001'],
      [500, { errors: ['CANARY'] }, 'KNK-KVT-0019'],
      [502, '<html>', 'KNK-KVT-0001'],
      [418, '', 'KNK-KVT-0014'],
      [204, undefined, 'KNK-KVT-0014'],
      [200, 'not JSON', 'KNK-KVT-0014'],
      [200, '[]', 'KNK-KVT-0014'],
      [200, { data: null }, 'KNK-KVT-0014'],
      [200, { data: { type: 'rsa-2048', latest_version: '1' } }, 'KNK-KVT-0014'],
      [200, 'x'.repeat(300_000), 'KNK-KVT-0014'],
    ];
    for (const [status, body, code] of answers) {
      bao.server.instead = body === undefined ? [status] : [status, body];
      await fails(code, () => vault.keyInfo(key()), `${status}`);
    }
    const secrets: readonly unknown[] = [
      { data: { data: { value: 'QQ==', encoding: 'base64', contentType: null, tags: {} }, metadata: { version: 2 } } },
      {
        data: {
          data: { value: 'not base64', encoding: 'base64', contentType: null, tags: {} },
          metadata: { version: 1 },
        },
      },
      { data: { data: { value: 'QQ==', contentType: null, tags: {} }, metadata: { version: 1 } } },
      {
        data: {
          data: { value: 'QQ==', encoding: 'base64', contentType: null, tags: { a: 1 } },
          metadata: { version: 1 },
        },
      },
      '{"data":{"data":{"v\\u0061lue":"QQ==","encoding":"base64","contentType":null,"tags":{}},"metadata":{"version":1}}}',
    ];
    for (const body of secrets) {
      bao.server.instead = [200, body];
      await fails('KNK-KVT-0014', () => vault.getSecret(idOf(bao.server.host, 'secrets', 'a', 1)), inspect(body));
    }
  });

  it('trusts only the authority it was told', async () => {
    await using folder = await ScratchFolder.make();
    await using stranger = await serveTls(await makeCertificates(folder, 'theirs'), async () => undefined, {
      requestCert: false,
    });
    const { host } = new URL(stranger.url);
    await fails('KNK-KVT-0001', () => open(bao.address(undefined, host)).keyInfo(idOf(host, 'keys', 'kek', 1)));
  });
});

describe('addresses of OpenBao', () => {
  it('are read wholly', () => {
    assert.deepEqual(
      parseOpenBaoAddress(
        'vault+https://Bao.example:8200/?transit=t/x&kv=kv&folder=a/b&namespace=n&ca=/c&token-file=/t',
      ),
      {
        host: 'bao.example:8200',
        transitMount: 't/x',
        kvMount: 'kv',
        folder: 'a/b',
        namespace: 'n',
        authorityFile: '/c',
        credential: { kind: 'token', tokenFile: '/t' },
      },
    );
  });

  it('are refused where anything is unclear', () => {
    const wrong = [
      'https://h/?token-file=/t',
      'openbao+http://h/?token-file=/t',
      'openbao+https:///?token-file=/t',
      'openbao+https://u:CANARY@h/?token-file=/t',
      'openbao+https://h/path?token-file=/t',
      'openbao+https://h/',
      'openbao+https://h/?token-file=t',
      'openbao+https://h/?token-file=/t&token-file=/u',
      'openbao+https://h/?token-file=/t&role-id-file=/r&secret-id-file=/s',
      'openbao+https://h/?role-id-file=/r',
      'openbao+https://h/?token-file=/t&transit=',
      'openbao+https://h/?token-file=/t&kv=../sys',
      'openbao+https://h/?token-file=/t&kv=a/../../sys',
      'openbao+https://h/?token-file=/t&kv=a%3Fb',
      'openbao+https://h/?token-file=/t&kv=a%252fb',
      'openbao+https://h/?token-file=/t&skip-verify=1',
    ];
    for (const address of wrong) {
      assert.throws(
        () => parseOpenBaoAddress(address),
        (error) => {
          assert.equal((error as { code?: string }).code, 'KNK-KVT-0015', address);
          assert.doesNotMatch(inspect(error), /CANARY/);
          return true;
        },
        address,
      );
    }
  });

  it('map versions to 32 digits and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (version) => {
        const digits = idOf('h', 'keys', 'k', version).split('/').at(-1) ?? '';
        assert.match(digits, /^[0-9a-f]{32}$/);
        assert.equal(versionNumber(digits), version);
      }),
    );
    for (const digits of ['0'.repeat(32), 'f'.repeat(32)]) assert.equal(versionNumber(digits), undefined);
  });
});

describe('JSON with a secret deep inside', () => {
  it('is written and read without a string of the secret, whatever stands around it', () => {
    const name = fc.constantFrom('data', 'value', 'x', '"', 'välue');
    const path = ['data', 'data', 'value'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.dictionary(name, fc.jsonValue()), (bytes, around) => {
        using secret = SecretBytes.copy(bytes);
        const body = { around, data: { ...around, data: { around, value: secretPlace } }, after: [around] };
        using encoded = encodeWithSecret(body, secret, 'base64');
        const text = Buffer.from(bytes).toString('base64');
        assert.deepEqual(
          JSON.parse(Buffer.from(encoded.bytes).toString()),
          JSON.parse(JSON.stringify(body).replace(secretPlace, text)),
        );
        const decoded = decodeWithSecret(encoded.bytes, path);
        assert.equal(Buffer.from(decoded?.secret?.bytes ?? []).toString(), text);
        assert.deepEqual(decoded?.rest, JSON.parse(JSON.stringify(body).replace(secretPlace, '')));
      }),
    );
  });

  it('is refused where the secret is named twice or by an escaped name', () => {
    const path = ['data', 'plaintext'];
    for (const text of [
      '{"data":{"plaintext":"a","plaintext":"b"}}',
      '{"data":{"plaintext":"a"},"data":{"plaintext":"b"}}',
      '{"data":{"pl\\u0061intext":"a"}}',
      '{"data":{"plaintext":"a","pl\\u0061intext":"b"}}',
      '{"data":{"plaintext":"a}}',
      '[{"data":{"plaintext":"a"}}]',
      '',
      '['.repeat(100_000),
    ]) {
      assert.equal(decodeWithSecret(Buffer.from(text), path), undefined, text.slice(0, 60));
    }
    for (const text of [
      '{"data":{"plaintext":1}}',
      '{"data":null}',
      '{"plaintext":"a"}',
      '{"data":[{"plaintext":"a"}]}',
    ]) {
      assert.equal(decodeWithSecret(Buffer.from(text), path)?.secret, undefined, text);
    }
  });
});
