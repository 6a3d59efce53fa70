import assert from 'node:assert/strict';
import { cpSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeScratchVm } from '../lab/scratch-vm.ts';
import { runInUml, UmlMachine } from '../lab/uml.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import type { SmallVm } from '../power-cut/small-vm.ts';
import type { LostInConversionInput, LostInConversionResult } from './scenarios/lost-in-conversion.ts';

const vm: SmallVm = { stateMiB: 112, dataMiB: 512 };
/** The most that one piece of a conversion can be: the work area of the header. */
const pieceBytes = 16 * 1024 * 1024;

test('power cut in mid-conversion, and the header lost: the disk itself says how far it was, and every file is there', async (t) => {
  await using machine = await makeScratchVm(vm);
  const boot = join(machine.folder, 'boot.img');
  writeFileSync(boot, '');
  // Smaller ones the checks refuse.
  truncateSync(boot, 160 * 1024 * 1024);
  const scenario = join(import.meta.dirname, 'scenarios/lost-in-conversion.ts');
  const { vaultUrl, kekId, keep } = machine;
  const input = { vm, vaultUrl, kekId, promised: null, withMirror: true } satisfies LostInConversionInput;
  const working = await UmlMachine.start({ scenario, input, disks: [machine.disk, boot], keep, timeoutSeconds: 300 });
  await working.waitFor((line) => line === 'cut', 280);
  const told = await working.powerCut();
  assert.ok(!told.includes('too-late'), 'the cut came in time');
  const promised = told.flatMap(promise);
  assert.equal(promised.length, 40);

  for (const withMirror of [true, false]) {
    await t.test(withMirror ? 'from the mirror' : 'from the record in the vault', async () => {
      const disks = [machine.disk, boot].map((image) => copyOf(image, withMirror));
      const again = { ...input, promised, withMirror } satisfies LostInConversionInput;
      const result = await runInUml<LostInConversionResult>({
        scenario,
        input: again,
        disks,
        keep,
        timeoutSeconds: 280,
      });
      const { trueBoundary, bytesEncrypted, rebuiltFrom, ...rest } = result;
      // A mirror that is no newer than the record, because the cut came early, is no better than it either.
      assert.ok(rebuiltFrom === 'record' || (withMirror && rebuiltFrom === 'mirror'), rebuiltFrom);
      // The piece under work was in the header's area, and is lost with it: some of it may have reached the disk.
      assert.ok(bytesEncrypted >= trueBoundary && bytesEncrypted <= trueBoundary + pieceBytes, JSON.stringify(result));
      assert.deepEqual(rest, {
        hadMirror: true,
        state: 'Encrypted',
        mirrorIsGone: true,
        damagedFiles: [],
        fileSystemIsClean: true,
      });
    });
  }
});

function promise(line: string): readonly PromisedFile[] {
  const [, sha256, path] = /^file:([0-9a-f]{64}):(.+)$/.exec(line) ?? [];
  return sha256 === undefined || path === undefined ? [] : [{ path, sha256 }];
}

function copyOf(image: string, withMirror: boolean): string {
  const copy = `${image}.${withMirror ? 'mirror' : 'record'}`;
  cpSync(image, copy);
  return copy;
}
