import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Finding, KannukiError, type Run } from '@kannuki/core';
import { readLuks2Header } from '@kannuki/formats';
import { readHeaderFile } from '../volumes/header-file.ts';
import { refusal } from './refusal.ts';

interface FindmntReply {
  readonly filesystems: readonly { readonly source: string }[];
}

interface LsblkDevice {
  readonly name: string;
  readonly children?: readonly LsblkDevice[];
}

/**
 * The real path that a kit is to have, and what speaks against it: a kit that lies on the volume that it opens is of no use, and
 * a file that is no kit of this volume is not replaced.
 */
export async function checkKitPlace(
  file: string,
  volume: string,
  luksUuid: string,
  run: Run,
): Promise<{ readonly path: string; readonly findings: readonly Finding[] }> {
  const folder = await realpath(dirname(file));
  const path = join(folder, basename(file));
  const findings: Finding[] = [];
  if (await liesOn(folder, volume, run)) findings.push(onItself(path));
  if (await isForeign(path, luksUuid)) findings.push(foreignFile(path));
  return { path, findings };
}

/** Whether a folder's file system lies on a mapping, directly or with other layers (LVM, RAID) in between. */
async function liesOn(folder: string, volume: string, run: Run): Promise<boolean> {
  const findmnt = await run('findmnt', ['--json', '--nofsroot', '--output', 'SOURCE', '--target', folder]);
  const source = (JSON.parse(findmnt.stdout) as FindmntReply).filesystems.at(-1)?.source ?? '';
  if (!source.startsWith('/dev/')) return false;
  const { stdout } = await run('lsblk', ['--json', '--inverse', '--output', 'NAME', source]);
  const contains = ({ name, children = [] }: LsblkDevice): boolean => name === volume || children.some(contains);
  return (JSON.parse(stdout) as { readonly blockdevices: readonly LsblkDevice[] }).blockdevices.some(contains);
}

async function isForeign(path: string, luksUuid: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) return true;
    return readLuks2Header(await readHeaderFile(path)).newest.uuid !== luksUuid;
  } catch (error) {
    if (error instanceof KannukiError) return true;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function onItself(path: string): Finding {
  return refusal(
    path,
    {
      en: 'this place lies on the volume that the kit is to open',
      ja: 'この場所は、キットで開くボリューム自体の上にあります',
    },
    {
      en: 'name a file on another disk, best one that leaves the machine',
      ja: '別のディスク (できれば取り外して保管できるもの) 上のファイルを指定してください',
    },
  );
}

function foreignFile(path: string): Finding {
  return refusal(
    path,
    {
      en: 'this is there already, and is no kit of this volume',
      ja: 'すでに存在し、このボリュームのキットではありません',
    },
    { en: 'name a file that does not exist yet', ja: 'まだ存在しないファイルを指定してください' },
  );
}
