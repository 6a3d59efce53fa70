import type { Finding } from '@kannuki/core';
import type { GuestFacts, SpaceFact } from '../facts/model.ts';
import { watchedFolders } from '../facts/spaces.ts';
import { found, mebibytes } from './finding.ts';
import {
  bootFullBytes,
  bootTightBytes,
  headerRoomBytes,
  inodesPerVolume,
  leastAvailableBytes,
  smallMemoryBytes,
  stateReserveBytes,
} from './limits.ts';

/** Memory for the work itself; the rule about VM sizes is REQ-022 and belongs to the size. */
export function checkMemory({ memory }: Pick<GuestFacts, 'memory'>): Finding[] {
  const { totalBytes, availableBytes } = memory;
  if (availableBytes < leastAvailableBytes) {
    return [
      found(
        'refuse',
        'REQ-020',
        'memory',
        {
          en: `${mebibytes(leastAvailableBytes)} of memory are needed and ${mebibytes(availableBytes)} are available`,
          ja: `メモリが ${mebibytes(leastAvailableBytes)} 必要ですが、利用できるのは ${mebibytes(availableBytes)} です`,
        },
        {
          en: 'stop programs that are not needed meanwhile, or give the VM more memory',
          ja: '不要なプログラムを一時的に停止するか、VM のメモリを増やしてください',
        },
      ),
    ];
  }
  if (totalBytes >= smallMemoryBytes) return [];
  return [
    found(
      'warn',
      'REQ-020',
      'memory',
      {
        en: `this machine has only ${mebibytes(totalBytes)} of memory; other programs may become slow during the conversion`,
        ja: `このマシンのメモリは ${mebibytes(totalBytes)} しかありません。変換中は他のプログラムが遅くなることがあります`,
      },
      { en: 'give the VM more memory if it can be done', ja: '可能であれば VM のメモリを増やしてください' },
    ),
  ];
}

/**
 * Room for headers and journals (the file that `header=` in crypttab names, REQ-096), and for the next initramfs.
 * @param volumes how many volumes are to be encrypted
 */
export function checkSpaces({ spaces }: Pick<GuestFacts, 'spaces'>, volumes: number): Finding[] {
  return spaces.flatMap((space) =>
    space.path === watchedFolders.boot ? checkBoot(space) : checkState(space, volumes),
  );
}

function checkState(space: SpaceFact, volumes: number): Finding[] {
  const needed = volumes * headerRoomBytes + stateReserveBytes;
  const inodes = volumes * inodesPerVolume;
  if (space.readOnly) {
    return [
      found(
        'refuse',
        'REQ-096',
        space.path,
        {
          en: `the file system of ${space.path}, where the headers of encrypted volumes are kept, is read-only`,
          ja: `暗号化ヘッダーの保存先 ${space.path} のファイル システムは読み取り専用です`,
        },
        { en: 'mount it writable', ja: '書き込み可能でマウントしてください' },
      ),
    ];
  }
  if (space.freeBytes >= needed && (space.freeInodes ?? inodes) >= inodes) return [];
  const files = space.freeInodes === null ? '' : `, ${space.freeInodes} inodes`;
  return [
    found(
      'refuse',
      'REQ-096',
      space.path,
      {
        en: `${mebibytes(needed)} and ${inodes} inodes must be free at ${space.path} for the headers; free are ${mebibytes(space.freeBytes)}${files}`,
        ja: `ヘッダーの保存に ${space.path} の空き容量 ${mebibytes(needed)} と inode ${inodes} 個が必要ですが、空きは ${mebibytes(space.freeBytes)}${files} です`,
      },
      {
        en: 'delete what is not needed on that file system, or enlarge it',
        ja: '不要なファイルを削除するか、ファイル システムを拡張してください',
      },
    ),
  ];
}

function checkBoot(space: SpaceFact): Finding[] {
  const isFull = space.freeBytes < bootFullBytes || space.freeInodes === 0;
  if (!isFull && space.freeBytes >= bootTightBytes) return [];
  return [
    found(
      isFull ? 'refuse' : 'warn',
      'REQ-053',
      space.path,
      {
        en: `${space.path} has ${mebibytes(space.freeBytes)} free; the next initramfs, which the boot needs to unlock volumes, may not fit (${mebibytes(bootTightBytes)} are usual, ${mebibytes(bootFullBytes)} the least)`,
        ja: `${space.path} の空き容量は ${mebibytes(space.freeBytes)} です。起動時のロック解除に使う次の initramfs が入らない可能性があります (通常 ${mebibytes(bootTightBytes)}、最低 ${mebibytes(bootFullBytes)})`,
      },
      {
        en: 'remove old kernels, e.g. with `apt autoremove`',
        ja: '`apt autoremove` などで古いカーネルを削除してください',
      },
    ),
  ];
}
