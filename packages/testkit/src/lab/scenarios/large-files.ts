import { run } from '@kannuki/core';
import { decryption, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  mountedDataDevice,
  mountFromFstab,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult, labTell } from '../inside.ts';

/** Inside a lab machine: a volume with large files is encrypted and its decryption begun; then, in the next machine, the boot. */
export interface LargeFilesInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly files: number;
  readonly fileMiB: number;
  /** What the first machine told of its files; null: this is the first machine. */
  readonly promised: readonly PromisedFile[] | null;
}

export interface LargeFilesResult {
  readonly stateBefore: string | null;
  readonly percentBefore: number | null;
  readonly state: string | null;
  readonly damaged: readonly string[];
  readonly fileSystemIsClean: boolean;
}

const { vm, vaultUrl, kekId, files, fileMiB, promised } = await labInput<LargeFilesInput>();
await attachPartitions(vm, false);
if (promised === null) await encryptAndBegin();
else await bootAgain(promised);

async function encryptAndBegin(): Promise<void> {
  await makeFileSystems('ext4');
  await bootState();
  await enterDataInFstab('ext4');
  const random = new Random(206);
  // One megabyte of its own a file, again and again: a piece that is swapped or left out shows all the same, by its offset.
  for (let index = 0; index < files; index++) {
    const piece = fileContent(random, 1024 * 1024);
    const content = Buffer.alloc(fileMiB * piece.length);
    for (let at = 0; at < fileMiB; at++) {
      content.set(piece, at * piece.length);
      content.writeUInt32LE(at, at * piece.length + 64);
    }
    const { path, sha256 } = await writePromised(`${dataMountPoint}/large`, `f${index}`, content);
    labTell(`file:${sha256}:${path}`);
  }
  await using vault = await openGuestVault(vaultUrl);
  await new VolumeEngine().encrypt(dataMountPoint, { vault, kekId, stopServices: false });
  const engine = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind !== 'progress') return;
      const { bytesDone, bytesTotal } = event.progress;
      if (bytesDone > bytesTotal / 4) labTell('a quarter is plain');
    },
  });
  await engine.operate(dataMountPoint, decryption({ stopServices: false }), () => vault);
  labTell('decrypted');
  labResult(null);
}

async function bootAgain(wanted: readonly PromisedFile[]): Promise<void> {
  await bootState();
  await using vault = await openGuestVault(vaultUrl);
  const engine = new VolumeEngine();
  await engine.unlock(() => vault);
  const before = await find(engine);
  if (mountedDataDevice() === undefined) await mountFromFstab();
  for (const { error } of await engine.resume(() => vault)) throw error;
  const after = await find(engine);
  await run('sync', []);
  const damaged = damagedFiles(wanted);
  const device = mountedDataDevice() ?? '';
  await run('umount', [dataMountPoint]);
  const { exitCode } = await run('e2fsck', ['-f', '-n', device], { accept: [0, 1, 2, 4, 8] });
  labResult({
    stateBefore: before?.state ?? null,
    percentBefore: before?.percent ?? null,
    state: after?.state ?? null,
    damaged,
    fileSystemIsClean: exitCode === 0,
  } satisfies LargeFilesResult);
}

async function find(engine: VolumeEngine) {
  return (await engine.list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
}
