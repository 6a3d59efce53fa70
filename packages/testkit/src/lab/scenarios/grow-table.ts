import { constants, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { run } from '@kannuki/core';
import { gptStartBytes, growPartition, largestLastLba, readGpt, type TableWrite } from '@kannuki/formats';
import { labResult } from '../inside.ts';

/**
 * Inside a lab machine: what the kernel makes of a GPT after each of the writes that grow its last partition, on disks with sectors of either
 * size. The size of the partition is what it says when it reads the table anew; null: it sees no partition.
 */
export type GrowTableResult = Readonly<Record<string, readonly (number | null)[]>>;

const mebibyte = 1024 * 1024;
const image = '/tmp/disk.img';
const result: Record<string, (number | null)[]> = {};
for (const sectorBytes of [512, 4096]) result[String(sectorBytes)] = await sizesAfterEachWrite(sectorBytes);
labResult(result satisfies GrowTableResult);

async function sizesAfterEachWrite(sectorBytes: number): Promise<(number | null)[]> {
  writeFileSync(image, '');
  truncateSync(image, 24 * mebibyte);
  await withLoop(sectorBytes, async (disk) => {
    await run('sfdisk', ['--quiet', '--label', 'gpt', disk], { input: 'size=6M\nsize=6M\n' });
  });
  truncateSync(image, 32 * mebibyte);
  const diskBytes = 32 * mebibyte;
  const start = readFileSync(image).subarray(0, gptStartBytes);
  const gpt = readGpt(start, sectorBytes);
  const plan = growPartition(gpt, { diskBytes, number: 2, lastLba: largestLastLba(gpt, diskBytes) });
  if (typeof plan === 'string') throw new Error(plan);
  const sizes = [await sizeNow(sectorBytes)];
  for (const group of plan) {
    for (const write of group) {
      await apply(write);
      sizes.push(await sizeNow(sectorBytes));
    }
  }
  return sizes;
}

async function apply({ offset, bytes }: TableWrite): Promise<void> {
  const file = await open(image, constants.O_RDWR);
  try {
    await file.write(bytes, 0, bytes.length, offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sizeNow(sectorBytes: number): Promise<number | null> {
  return await withLoop(sectorBytes, async (disk) => {
    const { stdout } = await run('lsblk', ['--json', '--bytes', '--output', 'NAME,SIZE', disk]);
    const { blockdevices } = JSON.parse(stdout) as { blockdevices: { children?: { name: string; size: number }[] }[] };
    return blockdevices[0]?.children?.find(({ name }) => name.endsWith('p2'))?.size ?? null;
  });
}

async function withLoop<Result>(sectorBytes: number, work: (disk: string) => Promise<Result>): Promise<Result> {
  const args = ['--partscan', '--sector-size', String(sectorBytes), '--find', '--show', image];
  const disk = (await run('losetup', args)).stdout.trim();
  try {
    return await work(disk);
  } finally {
    await run('losetup', ['--detach', disk]);
  }
}
