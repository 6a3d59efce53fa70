import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { run } from '@kannuki/core';
import { labInput, labResult } from '../../lab/inside.ts';
import { damagedFiles, fileContent, type PromisedFile, sha256, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import { dataDevice, dataMountPoint } from '../../power-cut/small-vm.ts';
import { FaultVm, type FaultVmInput } from '../fault-vm.ts';

/**
 * Inside a lab machine: files that are zeros, in whole or in part, written, preallocated or as holes. Who skips blocks of zeros when he
 * encrypts leaves zeros on the disk, and they are noise when they are read through the mapping.
 */
export interface ZeroBlocksInput extends FaultVmInput {
  readonly operations: readonly string[];
}

export interface ZeroBlocksResult {
  readonly endings: readonly {
    readonly operation: string;
    readonly wrongs: readonly string[];
    readonly damaged: readonly string[];
    /** Blocks of 4096 bytes on the raw disk that are nothing but zeros. */
    readonly zeroBlocks: number;
  }[];
}

const mebibyte = 1024 * 1024;
const blockBytes = 4096;
const folder = `${dataMountPoint}/zeros`;

const input = await labInput<ZeroBlocksInput>();
const vm = await FaultVm.make(input);
const promised = [
  await writePromised(folder, 'written', Buffer.alloc(24 * mebibyte)),
  await writePromised(folder, 'mixed', mixed()),
  await made('preallocated', 'fallocate', ['--length', String(16 * mebibyte)]),
  await made('hole', 'truncate', ['--size', String(8 * mebibyte)]),
];
const endings: ZeroBlocksResult['endings'][number][] = [];
for (const operation of input.operations) {
  const { code, message } = await vm.attempt(operation, () => '');
  if (code !== null) throw new Error(message);
  const { wrongs } = await vm.judgeEnding(operation);
  endings.push({ operation, wrongs, damaged: damagedFiles(promised), zeroBlocks: await zeroBlocksOf(dataDevice) });
}
labResult({ endings } satisfies ZeroBlocksResult);

/** Of each 64 KiB one block is random, the others are zeros. */
function mixed(): Buffer {
  const content = Buffer.alloc(16 * mebibyte);
  const random = new Random(2);
  for (let offset = 0; offset < content.length; offset += 65536) {
    fileContent(random, blockBytes).copy(content, offset + blockBytes * random.between(0, 16));
  }
  return content;
}

async function made(name: string, program: string, args: readonly string[]): Promise<PromisedFile> {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name}`;
  await run(program, [...args, path]);
  await run('sync', []);
  const bytes = name === 'hole' ? 8 * mebibyte : 16 * mebibyte;
  return { path, sha256: sha256(Buffer.alloc(bytes)) };
}

async function zeroBlocksOf(device: string): Promise<number> {
  await run('blockdev', ['--flushbufs', device]);
  const zeros = Buffer.alloc(blockBytes);
  const buffer = Buffer.alloc(4 * mebibyte);
  const disk = await open(device, 'r');
  let found = 0;
  try {
    for (;;) {
      const { bytesRead } = await disk.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return found;
      for (let at = 0; at < bytesRead; at += blockBytes) {
        if (buffer.subarray(at, at + blockBytes).equals(zeros)) found++;
      }
    }
  } finally {
    await disk.close();
  }
}
