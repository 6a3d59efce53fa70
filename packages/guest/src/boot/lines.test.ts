import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { appendLine, removeLines, replaceLine } from './lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-lines-'));
const path = join(folder, 'fstab');
after(() => rmSync(folder, { recursive: true }));

test('replacing a line and putting it back gives the same bytes, whatever else is in the file', async () => {
  const anyByte = fc.uint8Array({ maxLength: 200 }).filter((bytes) => !Buffer.from(bytes).includes('UUID=x'));
  await fc.assert(
    fc.asyncProperty(anyByte, anyByte, fc.boolean(), async (before, after, newline) => {
      const original = Buffer.concat([
        before,
        Buffer.from('\nUUID=x /data0  ext4\tdefaults,nofail 0 2'),
        newline ? Buffer.from('\n') : Buffer.alloc(0),
        ...(newline ? [after] : []),
      ]);
      writeFileSync(path, original);
      assert.equal(await replaceLine(path, 'UUID=x /data0  ext4\tdefaults,nofail 0 2', '# moved'), true);
      assert.notDeepEqual(readFileSync(path), original);
      assert.equal(await replaceLine(path, '# moved', 'UUID=x /data0  ext4\tdefaults,nofail 0 2'), true);
      assert.deepEqual(readFileSync(path), original);
    }),
    { numRuns: 50 },
  );
});

test('a line that is not there is not replaced, and nothing is written', async () => {
  writeFileSync(path, 'a\nb\n');
  assert.equal(await replaceLine(path, 'c', 'd'), false);
  assert.equal(readFileSync(path, 'utf8'), 'a\nb\n');
  assert.equal(await replaceLine(path, 'c', 'b'), true, 'done before counts as done');
});

test('a line is added once, after a missing newline too, and the mode stays', async () => {
  writeFileSync(path, 'a');
  chmodSync(path, 0o600);
  for (let round = 0; round < 2; round++) await appendLine(path, 'kn_x y', (line) => line.startsWith('kn_x '));
  assert.equal(readFileSync(path, 'utf8'), 'a\nkn_x y\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await removeLines(path, (line) => line.startsWith('kn_x '));
  assert.equal(readFileSync(path, 'utf8'), 'a\n');
});
