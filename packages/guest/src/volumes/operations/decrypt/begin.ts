import { readFile } from 'node:fs/promises';
import { type Finding, hasCode, isRefused, KannukiError, type Run } from '@kannuki/core';
import { checkCryptsetup } from '../../../checks/cryptsetup.ts';
import { found } from '../../../checks/finding.ts';
import { checkNesting, checkOtherMounts } from '../../../checks/mounts.ts';
import { checkOpenFiles } from '../../../checks/open-files.ts';
import { readGuestFacts } from '../../../facts/guest-facts.ts';
import { resolveTargets } from '../../../targets/targets.ts';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { useOf } from '../../uses/uses.ts';
import type { Operation } from '../operation.ts';

/**
 * Back to plain where the data is, while it is in use.
 * @param stopServices units with open files may be stopped for the unmount at the end
 */
export function decryption({ stopServices }: { readonly stopServices: boolean }): Operation {
  return { name: 'decrypt', begin: (journal, context) => begin({ ...journal, stopServices }, context) };
}

/** The unmount comes at the end, hours later perhaps; what would stand in its way is told now (REQ-050, REQ-051). */
async function begin(journal: Journal, context: StepContext): Promise<Journal> {
  const place = checkPlace(journal);
  const findings = place.length > 0 ? place : await checkVolume(journal, context);
  if (isRefused(findings)) {
    throw new KannukiError('KNK-VOL-0040', { details: { target: useOf(journal).name }, findings });
  }
  return journal;
}

const rule = 'REQ-214';

function checkPlace(journal: Journal): readonly Finding[] {
  if (journal.keySource === 'random') return [otherWay(journal)];
  if (journal.use.kind !== 'mount') return [carriesDevices(journal)];
  if (journal.header.place === 'file') return [];
  return [
    found(
      'refuse',
      rule,
      useOf(journal).name,
      {
        en: 'the volume was formatted with its header on the disk; to decrypt it all data would have to move over the header, and cryptsetup does not do that safely against a power cut',
        ja: 'このボリュームはヘッダーをディスク上に置いてフォーマットされています。復号にはデータをヘッダーの位置へ移動する必要がありますが、cryptsetup はこれを停電に対して安全に行えません',
      },
      {
        en: 'copy the data to a plain volume, then format this one',
        ja: 'データを暗号化されていないボリュームにコピーしてから、このボリュームをフォーマットしてください',
      },
    ),
  ];
}

/** Swap space and the temporary disk have no header: operations/end-random-key is their way back. */
function otherWay(journal: Journal): Finding {
  return found(
    'refuse',
    rule,
    useOf(journal).name,
    {
      en: 'the volume has a new random key at each boot, and nothing on it is kept',
      ja: 'このボリュームは起動のたびに新しいランダムな鍵を使い、内容は保持されません',
    },
    { en: 'there is nothing to decrypt: it is made anew in plain', ja: '復号するものはありません。平文で作り直します' },
  );
}

/** As soon as the entries are back LVM would see the same physical volume twice, on the disk and on the mapping. */
function carriesDevices(journal: Journal): Finding {
  return found(
    'refuse',
    rule,
    useOf(journal).name,
    {
      en: 'other devices lie on the volume (LVM, RAID); this version decrypts mounted file systems',
      ja: 'このボリュームの上に他のデバイス (LVM、RAID) があります。この版が復号できるのはマウントされたファイル システムです',
    },
    {
      en: 'move the data away, e.g. with pvmove to a plain physical volume',
      ja: 'pvmove で暗号化されていない物理ボリュームに移すなど、データを移動してください',
    },
  );
}

async function checkVolume(journal: Journal, context: StepContext): Promise<readonly Finding[]> {
  const { run, paths } = context;
  const use = useOf(journal);
  const isOpen = (await activeMapping(journal.name)) !== undefined && (await use.isInUse(run));
  if (!isOpen) return [notOpen(use.name)];
  const facts = await readGuestFacts({ root: '/', run });
  const volumes = await resolveTargets(facts, [use.name]);
  return [
    ...checkCryptsetup(facts),
    ...(await checkMapper(run)),
    ...(await checkMovedLines(journal, paths.fstab)),
    ...volumes.flatMap((volume) => [
      ...checkNesting(facts, volume),
      ...checkOtherMounts(facts, volume),
      ...checkOpenFiles(facts, volume, journal.stopServices),
    ]),
  ];
}

function notOpen(name: string): Finding {
  return found(
    'refuse',
    rule,
    name,
    {
      en: 'the volume is not open and in use, and only one that is can be decrypted',
      ja: 'ボリュームが開かれて使用中になっていません。復号できるのは使用中のボリュームだけです',
    },
    { en: `open it first: kannuki disk unlock ${name}`, ja: `先に開いてください: kannuki disk unlock ${name}` },
  );
}

/** Behind the last block cryptsetup cannot map the volume any more (plain-mapping.ts). */
async function checkMapper(run: Run): Promise<readonly Finding[]> {
  try {
    await run('dmsetup', ['version']);
    return [];
  } catch (error) {
    if (!hasCode(error, 'KNK-CMD-0002')) throw error;
    return [
      found(
        'refuse',
        rule,
        'dmsetup',
        { en: 'dmsetup is not installed', ja: 'dmsetup がインストールされていません' },
        { en: 'install the package dmsetup', ja: 'パッケージ dmsetup を入れてください' },
      ),
    ];
  }
}

/** The entry goes back to where it came from; without that place the next boot would not mount the volume. */
async function checkMovedLines(journal: Journal, fstab: string): Promise<readonly Finding[]> {
  const lines = (await readFile(fstab, 'latin1')).split('\n');
  const use = useOf(journal);
  return use
    .bootEntries(journal.name)
    .fstab.filter(({ moved }) => !lines.includes(moved))
    .map(({ moved }) =>
      found(
        'refuse',
        'REQ-048',
        use.name,
        {
          en: `the comment in ${fstab} that keeps the place of the old entry is gone, or was changed`,
          ja: `元のエントリの場所を示す ${fstab} のコメントがないか、変更されています`,
        },
        { en: `put it back, as one line: ${moved}`, ja: `1 行で元に戻してください: ${moved}` },
      ),
    );
}
