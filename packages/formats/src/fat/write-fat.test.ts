import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import fc from 'fast-check';
import { type FatVolume, writeFat } from './write-fat.ts';

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', MTOOLS_SKIP_CHECK: '0' };
const passphrase = Buffer.alloc(172, 'Kw4/');
const keyVolume: FatVolume = {
  label: 'BEK VOLUME',
  volumeId: '1384-3AA3',
  files: [{ name: 'LinuxPassPhraseFileName', content: SecretBytes.copy(passphrase) }],
};

/** Lets the tools of dosfstools, mtools and util-linux look at an image. */
function withImage(volume: FatVolume, look: (path: string, run: (...command: string[]) => Buffer) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-fat-'));
  try {
    const path = join(folder, 'volume');
    using image = writeFat(volume);
    writeFileSync(path, image.bytes);
    look(path, (program = '', ...args) =>
      execFileSync(program, args, { env: environment, timeout: 30_000, cwd: folder }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sizes = [64 * 1024, 1024 * 1024, 2 * 1024 * 1024 + 65 * 512, 48 * 1024 * 1024];

for (const sizeBytes of sizes) {
  test(`key volume of ${sizeBytes} bytes: fsck, blkid, mdir and mtype agree with what went in`, () => {
    withImage({ ...keyVolume, sizeBytes }, (path, run) => {
      run('fsck.vfat', '-n', path);
      const properties = run('blkid', '-p', '-o', 'export', path).toString();
      for (const line of [
        'LABEL=BEK\\ VOLUME',
        'LABEL_FATBOOT=BEK\\ VOLUME',
        'UUID=1384-3AA3',
        'TYPE=vfat',
        'USAGE=filesystem',
      ]) {
        assert.ok(properties.split('\n').includes(line), `${line} in ${properties}`);
      }
      assert.equal(run('mdir', '-b', '-i', path, '::').toString(), '::/LinuxPassPhraseFileName\n');
      assert.deepEqual(run('mtype', '-i', path, '::/LinuxPassPhraseFileName'), passphrase);
    });
  });
}

test('the kind of FAT follows the number of clusters', () => {
  const kindOf = (sizeBytes: number): string => {
    using image = writeFat({ ...keyVolume, sizeBytes });
    return Buffer.from(image.bytes.subarray(54, 62)).toString();
  };
  assert.equal(kindOf(1024 * 1024), 'FAT12   ');
  assert.equal(kindOf(48 * 1024 * 1024), 'FAT16   ');
});

test('the same input gives the same bytes', () => {
  using first = writeFat(keyVolume);
  using second = writeFat(keyVolume);
  assert.ok(first.equals(second));
});

test('short names stay short, long names that begin alike are told apart', () => {
  const names = [
    'KEY.BIN',
    'a name with blanks.text',
    'a name with blanks.text2',
    'A.B.C',
    'lower',
    '~',
    'x'.repeat(255),
  ];
  const files = names.map((name, index) => ({ name, content: Buffer.alloc(index * 700, index) }));
  withImage({ ...keyVolume, files }, (path, run) => {
    run('fsck.vfat', '-n', path);
    const listed = run('mdir', '-b', '-i', path, '::').toString().trim().split('\n');
    assert.deepEqual(listed.toSorted(), names.map((name) => `::/${name}`).toSorted());
  });
});

test('random files are read back by mcopy', () => {
  const name = fc
    .string({ unit: fc.constantFrom(...Array.from('abcXYZ0189 ._-~+[];,=#')), minLength: 1, maxLength: 40 })
    .filter((text) => !/^[ .]|[. ]$/.test(text) && !text.startsWith('-'));
  const file = fc.record({ name, content: fc.uint8Array({ maxLength: 3000 }) });
  const files = fc.uniqueArray(file, { maxLength: 12, selector: (entry) => entry.name.toUpperCase() });
  fc.assert(
    fc.property(files, fc.constantFrom(256 * 1024, 1024 * 1024, 3 * 1024 * 1024), (entries, sizeBytes) => {
      withImage({ ...keyVolume, files: entries, sizeBytes }, (path, run) => {
        run('fsck.vfat', '-n', path);
        for (const entry of entries) {
          const copied = run('mcopy', '-i', path, `::/${entry.name.replaceAll('[', '\\[')}`, '-');
          assert.deepEqual(new Uint8Array(copied), new Uint8Array(entry.content), entry.name);
        }
      });
    }),
    { numRuns: 8 },
  );
});

const impossible: readonly (readonly [string, Partial<FatVolume>])[] = [
  ['no name', { files: [{ name: '', content: passphrase }] }],
  ['a name with a slash', { files: [{ name: 'a/b', content: passphrase }] }],
  ['a name with a newline', { files: [{ name: 'a\nb', content: passphrase }] }],
  ['a name that FAT would cut', { files: [{ name: 'a.', content: passphrase }] }],
  ['a name twice', { files: ['key', 'KEY'].map((name) => ({ name, content: passphrase })) }],
  ['a file larger than the volume', { files: [{ name: 'key', content: Buffer.alloc(2 * 1024 * 1024) }] }],
  ['a label of 12 characters', { label: 'BEK VOLUME 12' }],
  ['a volume id in small letters', { volumeId: '1384-3aa3' }],
  ['a size that is no whole number of sectors', { sizeBytes: 1_000_001 }],
  ['a size without room for data', { sizeBytes: 512 * 35 }],
  ['a size beyond FAT16', { sizeBytes: 4 * 1024 * 1024 * 1024 }],
];

for (const [what, change] of impossible) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => writeFat({ ...keyVolume, ...change }),
      (error) => hasCode(error, 'KNK-FMT-0301'),
    );
  });
}
