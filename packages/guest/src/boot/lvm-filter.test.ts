import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Run, run } from '@kannuki/core';
import fc from 'fast-check';
import { readGlobalFilter, rejecting, withHidden, withoutHidden } from './lvm-filter.ts';

const disk = '/dev/disk/by-id/scsi-0QEMU+x.1';
const other = '/dev/disk/by-partuuid/11111111-02';

test('hiding and showing again gives the same bytes, whatever is in the file and whichever goes first', () => {
  const anyText = fc.string({ maxLength: 80 }).filter((text) => !text.includes('kannuki'));
  fc.assert(
    fc.property(
      anyText,
      fc.array(fc.constantFrom('a|^/dev/sda|', 'r|"q"|', 'a|.*|')),
      fc.boolean(),
      (text, before, swap) => {
        const both = withHidden(withHidden(text, 'kn_a', disk, before), 'kn_b', other, ['r|not asked again|']);
        assert.equal(withHidden(both, 'kn_a', disk, []), both, 'once is enough');
        const [first, second] = swap ? ['kn_a', 'kn_b'] : ['kn_b', 'kn_a'];
        assert.equal(withoutHidden(withoutHidden(both, first), second), text);
      },
    ),
  );
});

/** LVM itself reads the file, from a folder of ours. */
async function lvmReads(text: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-lvm-'));
  try {
    writeFileSync(join(folder, 'lvm.conf'), 'devices {\n\tglobal_filter = [ "a|^/dev/vd|" ]\n}\n');
    writeFileSync(join(folder, 'lvmlocal.conf'), text);
    const there: Run = (program, args, options) =>
      run(program, args, { ...options, environment: { LVM_SYSTEM_DIR: folder } });
    return await readGlobalFilter(there);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('LVM takes our block for the last word, and the patterns of before stay behind ours', async () => {
  assert.deepEqual(await lvmReads(''), ['a|^/dev/vd|']);
  const local = 'local {\n}\ndevices {\n\tglobal_filter = "r|/dev/cdrom|"\n}\n';
  assert.deepEqual(await lvmReads(local), ['r|/dev/cdrom|']);
  const one = withHidden(local, 'kn_a', disk, ['r|/dev/cdrom|']);
  assert.deepEqual(await lvmReads(one), [rejecting(disk), 'r|/dev/cdrom|']);
  const two = withHidden(one, 'kn_b', other, []);
  assert.deepEqual(await lvmReads(two), [rejecting(disk), rejecting(other), 'r|/dev/cdrom|']);
  assert.deepEqual(await lvmReads(withHidden('', 'kn_a', disk, [])), [rejecting(disk)]);
  assert.equal(rejecting(disk), 'r|^/dev/disk/by-id/scsi-0QEMU[+]x[.]1$|');
});
