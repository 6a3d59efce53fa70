import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import { standingOf } from '../images/standing.ts';
import { noTemporaryDiskLink } from '../notices.ts';
import { findSize, type SupportRules } from '../rules/rules.ts';
import type { VmSize } from '../sizes/size.ts';
import { found } from './finding.ts';

const sizesRemedy = {
  en: 'choose another size: `kannuki support sizes` lists them',
  ja: '別のサイズを選んでください。`kannuki support sizes` で一覧できます',
};

/** May VMs of this size be encrypted, their memory apart? REQ-014..REQ-019, REQ-073, REQ-293. */
export function checkSize(facts: SupportFacts, rules: SupportRules): Finding[] {
  if (facts.size === undefined) return [];
  const subject = facts.size.trim();
  const size = findSize(rules, subject);
  return [
    ...checkSeries(subject, rules),
    ...(size === undefined
      ? checkUnknown(facts, subject)
      : [...checkGeneration(facts, size, rules), ...checkPremium(facts, size), ...checkTemporaryDisk(size)]),
  ];
}

function checkSeries(subject: string, rules: SupportRules): Finding[] {
  return rules.series
    .filter((series) => series.pattern.test(subject))
    .map(({ severity, requirement, name, source }) =>
      found(
        severity,
        requirement,
        subject,
        severity === 'refuse'
          ? { en: `not available on ${name.en} sizes`, ja: `${name.ja}のサイズでは利用できません` }
          : {
              en: `other articles than the overview of early 2024 exclude ${name.en} sizes: ${source}`,
              ja: `2024 年初めの概要記事以外の資料では、${name.ja}のサイズは対象外です: ${source}`,
            },
        severity === 'refuse'
          ? sizesRemedy
          : { en: 'try it on a VM that you can lose first', ja: 'まず失ってもよい VM で試してください' },
      ),
    );
}

/** Without the memory of the VM nothing can be promised, so an unknown name is refused until somebody tells it. */
function checkUnknown(facts: SupportFacts, subject: string): Finding[] {
  const told = facts.memoryMib !== undefined;
  return [
    found(
      told ? 'warn' : 'refuse',
      'REQ-014',
      subject,
      {
        en: `the size is unknown${told ? '; only the given memory was checked' : ', so its memory cannot be checked'}`,
        ja: `サイズが不明です。${told ? '指定されたメモリだけを確認しました' : 'メモリを確認できません'}`,
      },
      {
        en: 'check the spelling (`kannuki support sizes`), or give the memory of the VM (--memory-gb)',
        ja: 'つづりを確認するか (`kannuki support sizes`)、VM のメモリを指定してください (--memory-gb)',
      },
    ),
  ];
}

function checkGeneration(facts: SupportFacts, size: VmSize, rules: SupportRules): Finding[] {
  const generation = facts.generation ?? imageGeneration(facts, rules);
  if (generation === undefined || size.generations.includes(generation)) return [];
  const runs = size.generations.join(', ');
  // The caller did not say which generation the VM is: the image only suggests it.
  const severity = facts.generation === undefined ? 'warn' : 'refuse';
  return [
    found(
      severity,
      'REQ-015',
      size.name,
      {
        en: `the size runs only generation ${runs} VMs, not ${generation}`,
        ja: `このサイズで動作する VM の世代は ${runs} だけで、${generation} は動作しません`,
      },
      {
        en: `use a size that runs generation ${generation}, or an image of generation ${runs}; both generations are supported`,
        ja: `世代 ${generation} が動作するサイズか、世代 ${runs} のイメージを使ってください。どちらの世代もサポートされています`,
      },
    ),
  ];
}

function imageGeneration(facts: SupportFacts, rules: SupportRules): SupportFacts['generation'] {
  if (facts.urn === undefined) return undefined;
  const standing = standingOf(facts.urn, rules);
  return standing.answer === 'supported' && standing.by === 'table' ? standing.image.generation : undefined;
}

/** Premium storage is supported and is not asked for; only a size that cannot attach it is worth a word (REQ-016). */
function checkPremium(facts: SupportFacts, size: VmSize): Finding[] {
  if (facts.premium !== true || size.premiumIo) return [];
  return [
    found(
      'warn',
      'REQ-016',
      size.name,
      {
        en: 'premium disks are supported, but this size cannot attach them',
        ja: 'Premium ディスクはサポートされていますが、このサイズには接続できません',
      },
      {
        en: 'use a size with premium storage, or standard disks',
        ja: 'Premium Storage に対応したサイズか、Standard ディスクを使ってください',
      },
    ),
  ];
}

function checkTemporaryDisk(size: VmSize): Finding[] {
  if (size.temporaryDiskMib !== 0) return [];
  return [
    found(
      'note',
      'REQ-017',
      size.name,
      {
        en: 'the size has no local temporary disk; this is supported, and the step for that disk is left out',
        ja: 'このサイズにはローカル一時ディスクがありません。サポートされており、一時ディスクの手順は省かれます',
      },
      {
        en: `such a VM can be resized only to another size without one: ${noTemporaryDiskLink}`,
        ja: `一時ディスクのない別のサイズにだけ変更できます: ${noTemporaryDiskLink}`,
      },
    ),
  ];
}
