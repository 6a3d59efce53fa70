import { closeSync, existsSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { run } from '@kannuki/core';
import { provenBoundary, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { openGuestVault, VolumeEngine, VolumeRecovery } from '@kannuki/guest';
import { labInput, labResult, labTell } from '../../lab/inside.ts';
import { type PromisedFile, writePromised } from '../../power-cut/files.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { header } from './damage.ts';
import { damagedNow, volume } from './volume.ts';

/** Inside a lab machine: a conversion that goes on until the power is cut; and, in the next machine, what is left. */
export interface LostInConversionInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string | null;
  /** null: begin the conversion. Otherwise the files that must be there. */
  readonly promised: readonly PromisedFile[] | null;
  /** The third disk is /boot; with it the mirror counts, without it the record. */
  readonly withMirror: boolean;
}

export interface LostInConversionResult {
  readonly hadMirror: boolean;
  /** Bytes that the lost header called converted. */
  readonly trueBoundary: number;
  readonly rebuiltFrom: string;
  readonly bytesEncrypted: number;
  readonly state: string | undefined;
  readonly mirrorIsGone: boolean;
  readonly damagedFiles: readonly string[];
  readonly fileSystemIsClean: boolean;
}

const bootDevice = '/dev/ubdb';
const mirror = `/boot/kannuki/${volume}.luks.mirror`;
const input = await labInput<LostInConversionInput>();
await attachPartitions(input.vm, false);
const vault = await openGuestVault(input.vaultUrl);
if (input.promised === null) await convertUntilTheCut();
else labResult(await recover(input.promised));

async function convertUntilTheCut(): Promise<void> {
  await makeFileSystems('ext4');
  await run('mkfs.ext4', ['-q', bootDevice]);
  await bootState();
  await enterDataInFstab('ext4');
  for (let number = 0; number < 40; number++) {
    const file = await writePromised(`${dataMountPoint}/logs`, `log-${number}`, logText(number));
    labTell(`file:${file.sha256}:${file.path}`);
  }
  await run('sync', []);
  const watch = setInterval(() => {
    if (boundaryNow() < 48 * 1024 * 1024) return;
    clearInterval(watch);
    labTell('cut');
  }, 2);
  // After the checks: with a /boot of its own they would take its disk for that of the OS, and refuse a /var/lib on another.
  const engine = new VolumeEngine({
    beforeUnmount: async () => {
      await run('mount', ['-t', 'ext4', bootDevice, '/boot']);
    },
  });
  await engine.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
  labTell('too-late');
}

/** A log file: of noise nobody could say whether it is encrypted. */
function logText(number: number): Buffer {
  const lines = Array.from(
    { length: 20_000 },
    (_, line) => `host${number} service[${line}]: request ${line * 7} done\n`,
  );
  return Buffer.from(lines.join(''));
}

function boundaryNow(): number {
  if (!existsSync(header)) return 0;
  try {
    return Number(provenBoundary(readLuks2Header(beginning(header)).newest.metadata));
  } catch {
    // Just being written.
    return 0;
  }
}

/** Both copies; the whole file would take longer to read than a piece takes to convert. */
function beginning(path: string): Uint8Array {
  const bytes = Buffer.alloc(32_768);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(file);
  }
  return bytes;
}

async function recover(promised: readonly PromisedFile[]): Promise<LostInConversionResult> {
  mkdirSync('/boot', { recursive: true });
  await run('mount', ['-t', 'ext4', bootDevice, '/boot']);
  await bootState();
  const hadMirror = existsSync(mirror);
  if (!input.withMirror) rmSync(mirror);
  const trueBoundary = boundaryNow();
  rmSync(header);
  const { rebuiltFrom, bytesEncrypted } = await new VolumeRecovery().rebuildHeader(dataMountPoint, () => vault);
  const engine = new VolumeEngine();
  for (const { error } of [...(await engine.unlock(() => vault)), ...(await engine.resume(() => vault))]) throw error;
  const row = (await engine.list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
  const damagedFiles = damagedNow(promised);
  const { metadata } = readLuks2Header(beginning(header)).newest;
  if (reencryptionProgress(metadata, input.vm.dataMiB * 1024 * 1024).pending) throw new Error('still pending');
  await run('umount', [dataMountPoint]);
  const check = await run('e2fsck', ['-f', '-n', `/dev/mapper/${volume}`], { accept: [0, 1, 2, 4, 8] });
  return {
    hadMirror,
    trueBoundary,
    rebuiltFrom,
    bytesEncrypted,
    state: row?.state,
    mirrorIsGone: !existsSync(mirror),
    damagedFiles,
    fileSystemIsClean: check.exitCode === 0,
  };
}
