import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import { openKeyslot } from './keyslot.ts';
import { buildHeaderFile } from './testing/build-header-file.ts';
import { cryptsetup, withFolder } from './testing/cryptsetup.ts';
import { edited, type LooseJson } from './testing/edit-header.ts';
import { loadRecording } from './testing/recording.ts';

const recording = loadRecording('encrypt-journal');
const passphrase = Buffer.from(recording.passphrase, 'hex');
const good = buildHeaderFile(
  recording.states.at(-1)?.header ?? assert.fail('the recording is empty'),
  passphrase,
  Buffer.from(recording.volumeKey, 'hex'),
);

function openHex(file: Uint8Array, secret: Uint8Array, keyslot?: number): string {
  using key = SecretBytes.copy(secret);
  using volumeKey = openKeyslot(file, key, keyslot === undefined ? {} : { keyslot });
  return Buffer.from(volumeKey.bytes).toString('hex');
}

const kinds = [
  ['--key-size', '512', '--hash', 'sha256'],
  ['--key-size', '256', '--hash', 'sha512'],
] as const;

for (const kind of kinds) {
  test(`cryptsetup makes it, we open it, and the volume key is the same: ${kind.join(' ')}`, () => {
    withFolder((path) => {
      const [header, key, dumped] = [path('header'), path('key'), path('dumped')];
      writeFileSync(header, Buffer.alloc(20 * 1024 * 1024));
      writeFileSync(key, 'correct horse\n\0battery', { mode: 0o600 });
      const kdf = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
      const made = cryptsetup('luksFormat', '-q', '--type', 'luks2', ...kdf, ...kind, '--key-file', key, header);
      assert.equal(made.status, 0, made.stderr);
      const dump = cryptsetup(
        'luksDump',
        '-q',
        '--dump-volume-key',
        '--volume-key-file',
        dumped,
        '--key-file',
        key,
        header,
      );
      assert.equal(dump.status, 0, dump.stderr);
      assert.equal(openHex(readFileSync(header), readFileSync(key)), readFileSync(dumped).toString('hex'));
    });
  });
}

test('of several slots the one that the passphrase opens is found; argon2 slots are passed over', () => {
  withFolder((path) => {
    const [header, first, second] = [path('header'), path('first'), path('second')];
    writeFileSync(header, good);
    writeFileSync(first, passphrase, { mode: 0o600 });
    writeFileSync(second, 'another', { mode: 0o600 });
    const human = [
      '--pbkdf',
      'argon2id',
      '--pbkdf-force-iterations',
      '4',
      '--pbkdf-memory',
      '32',
      '--pbkdf-parallel',
      '1',
    ];
    const add = ['luksAddKey', '-q', '--key-file', first, '--new-keyfile', second];
    assert.equal(cryptsetup(...add, ...human, header).status, 0);
    const argonOnly = readFileSync(header);
    assert.throws(
      () => openHex(argonOnly, Buffer.from('another'), 1),
      (error) => hasCode(error, 'KNK-FMT-0105') && /argon2id/.test(error.message),
    );
    assert.throws(
      () => openHex(argonOnly, Buffer.from('another')),
      (error) => hasCode(error, 'KNK-FMT-0104'),
    );
    const machine = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--key-slot', '7'];
    assert.equal(cryptsetup(...add, ...machine, header).status, 0);
    assert.equal(openHex(readFileSync(header), Buffer.from('another')), recording.volumeKey);
    assert.equal(openHex(readFileSync(header), passphrase), recording.volumeKey);
  });
});

test('a wrong passphrase, a missing slot and a damaged area open nothing', () => {
  const damagedArea = Buffer.from(good);
  damagedArea.writeUInt8(damagedArea.readUInt8(100_000) ^ 1, 100_000);
  for (const open of [
    () => openHex(good, Buffer.from('wrong')),
    () => openHex(good, new Uint8Array(0)),
    () => openHex(good, passphrase, 3),
    () => openHex(damagedArea, passphrase),
  ]) {
    assert.throws(open, (error) => hasCode(error, 'KNK-FMT-0104'));
  }
});

const unsupported: readonly (readonly [string, (json: LooseJson) => void, RegExp])[] = [
  [
    'too many iterations',
    (json) => {
      json.keyslots['0'].kdf.iterations = 4_000_000_000;
    },
    /iterations/,
  ],
  [
    'an unknown hash',
    (json) => {
      json.keyslots['0'].kdf.hash = 'whirlpool';
    },
    /hash whirlpool/,
  ],
  [
    'an unknown hash of the split',
    (json) => {
      json.keyslots['0'].af.hash = '__proto__';
    },
    /hash __proto__/,
  ],
  [
    'too many stripes',
    (json) => {
      json.keyslots['0'].af.stripes = 9_999_999;
    },
    /stripes/,
  ],
  [
    'another cipher',
    (json) => {
      json.keyslots['0'].area.encryption = 'serpent-xts-plain64';
    },
    /serpent/,
  ],
  [
    'another size of the area key',
    (json) => {
      json.keyslots['0'].area.key_size = 48;
    },
    /48/,
  ],
  [
    'a huge volume key',
    (json) => {
      json.keyslots['0'].key_size = 1_000_000;
    },
    /volume key of/,
  ],
  [
    'an area that is too small',
    (json) => {
      json.keyslots['0'].area.size = '4096';
    },
    /too small/,
  ],
  [
    'an area behind the end of the file',
    (json) => {
      json.keyslots['0'].area.offset = '16519168';
    },
    /behind the end/,
  ],
];

for (const [what, change, problem] of unsupported) {
  test(`refused before any work: ${what}`, () => {
    const file = edited(good, change).subarray(0, 16_519_168);
    assert.throws(
      () => openHex(file, passphrase),
      (error) => hasCode(error, 'KNK-FMT-0105') && problem.test(error.message),
    );
  });
}

test('a digest that would accept anything opens nothing', () => {
  const open = edited(good, (json) => {
    json.digests['0'].digest = '';
  });
  assert.throws(
    () => openHex(open, passphrase),
    (error) => hasCode(error, 'KNK-FMT-0104'),
  );
});
