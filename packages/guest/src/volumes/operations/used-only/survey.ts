import { type Finding, hasCode, type Run } from '@kannuki/core';
import { found } from '../../../checks/finding.ts';
import { isExt4Driver } from '../../../facts/ext-driver.ts';
import { kernelNameOf } from '../../../facts/kernel-name.ts';
import type { Journal } from '../../journal.ts';
import { useOf } from '../../uses/uses.ts';
import { measureDisk } from './disk-speed.ts';
import { type Estimates, estimateBoth, frontFor } from './estimate.ts';
import { readExtGeometry } from './ext-geometry.ts';
import { leastSize } from './least-size.ts';

/** Both ways foreseen, or why there is only the one over the whole disk. */
export type Survey =
  | { readonly estimates: Estimates; readonly finding: null }
  | { readonly estimates: null; readonly finding: Finding };

/** Looks at block counts and at the speed of the disk; changes nothing, and takes about a second. */
export async function survey(journal: Journal, run: Run): Promise<Survey> {
  const { path, sizeBytes } = journal.device;
  const use = useOf(journal);
  if (!/^ext[234]$/.test(use.contentType)) return impossible(cannotShrink(use.name, use.contentType));
  const geometry = await readExtGeometry(path);
  if (geometry?.canBeResized !== true) return impossible(notResizable(use.name));
  const kernelName = await kernelNameOf(path);
  if (!isExt4Driver(kernelName)) return impossible(otherDriver(use.name));
  let minimum: number;
  try {
    minimum = await leastSize(run, path, geometry);
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return impossible(noProgram(use.name));
    throw error;
  }
  const frontBytes = frontFor(minimum, sizeBytes);
  if (frontBytes === null) return impossible(tooFull(use.name));
  const speed = await measureDisk(run, path, kernelName);
  return { estimates: estimateBoth(geometry, speed, { deviceBytes: sizeBytes, frontBytes }), finding: null };
}

function impossible(finding: Finding): Survey {
  return { estimates: null, finding };
}

const rule = 'REQ-091';
const takeWholeDisk = {
  en: 'leave --used-space-only away or give --whole-disk: every block is encrypted, with the shorter downtime',
  ja: '--used-space-only を外すか --whole-disk を指定してください。全ブロックが暗号化され、停止時間も短くなります',
};

/** XFS can never get smaller; btrfs can, even while it is mounted, but Kannuki does not do that yet. */
function cannotShrink(point: string, type: string): Finding {
  const message =
    type === 'btrfs'
      ? {
          en: 'btrfs could be shrunk while it is mounted, but Kannuki does not do that yet: the whole disk has to be encrypted',
          ja: 'btrfs はマウント中でも縮小できますが、Kannuki は未対応です。ディスク全体を暗号化する必要があります',
        }
      : {
          en: `${type} cannot be shrunk, so its free space cannot be left out: the whole disk has to be encrypted. Discarding the free space first does not make that faster`,
          ja: `${type} は縮小できないため空き領域を除外できません。ディスク全体を暗号化する必要があります。事前に空き領域を破棄しても速くなりません`,
        };
  return found('refuse', rule, point, message, takeWholeDisk);
}

function notResizable(point: string): Finding {
  return found(
    'refuse',
    rule,
    point,
    {
      en: 'this ext file system cannot be grown back while it is mounted (no resize_inode, or bigalloc), so it is not shrunk',
      ja: 'この ext ファイル システムはマウント中に拡大できないため (resize_inode なし、または bigalloc)、縮小しません',
    },
    takeWholeDisk,
  );
}

/** It would stay as small as it was made: the volume in use, and nobody to give it its size again. */
function otherDriver(point: string): Finding {
  return found(
    'refuse',
    rule,
    point,
    {
      en: "the file system is mounted by the kernel's old ext2 driver, which cannot grow it back while it is in use, so it is not shrunk",
      ja: 'ファイル システムはカーネルの古い ext2 ドライバーでマウントされており、使用中に元の大きさへ戻せないため、縮小しません',
    },
    {
      en: 'write ext4 as its type in /etc/fstab and mount it again (nothing on it changes), or give --whole-disk',
      ja: '/etc/fstab の種類を ext4 にして再マウントするか (内容は変わりません)、--whole-disk を指定してください',
    },
  );
}

function noProgram(point: string): Finding {
  return found(
    'refuse',
    rule,
    point,
    { en: 'resize2fs is not installed', ja: 'resize2fs がインストールされていません' },
    { en: 'install e2fsprogs', ja: 'e2fsprogs をインストールしてください' },
  );
}

function tooFull(point: string): Finding {
  return found(
    'refuse',
    rule,
    point,
    {
      en: 'the volume is so full that there is nothing to leave out',
      ja: '空き領域が少なく、除外できる部分がありません',
    },
    takeWholeDisk,
  );
}
