import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import type { MemoryRule } from '../rules/load.ts';
import { findSize, type SupportRules } from '../rules/rules.ts';
import { found } from './finding.ts';

/** Least memory that an encryption needs. */
export interface MemoryNeed {
  /** GB as the published table counts them: 1 GB = 1024 MiB of a VM size. */
  readonly gb: number;
  readonly rule: MemoryRule;
}

/**
 * The row of the memory table that holds, or undefined where none does: the OS volume is encrypted already and nothing else
 * is asked for (REQ-026).
 */
export function memoryNeed(facts: SupportFacts, rules: SupportRules): MemoryNeed | undefined {
  const osIsDone = facts.osState === 'Encrypted';
  const osIsRunning = facts.osState === 'EncryptionInProgress';
  const wantsOs = facts.volumeType !== 'DATA';
  if (osIsDone && facts.volumeType === 'OS') return undefined;
  const volumes = osIsRunning || (wantsOs && !osIsDone) ? 'os' : 'data';
  const used = facts.rootUsedGb ?? 0;
  const rule = rules.memory.find(
    (row) =>
      row.volumes === volumes &&
      used <= (row.rootUsedGbAtMost ?? Number.POSITIVE_INFINITY) &&
      used > (row.rootUsedGbAbove ?? Number.NEGATIVE_INFINITY),
  );
  if (rule === undefined) return undefined;
  return { gb: rule.minimumMemoryGb ?? used * (rule.rootUsedFactor ?? 1), rule };
}

/** Is there enough memory? REQ-020, REQ-022..REQ-026. */
export function checkMemory(facts: SupportFacts, rules: SupportRules): Finding[] {
  const memoryMib = facts.memoryMib ?? (facts.size === undefined ? undefined : findSize(rules, facts.size)?.memoryMib);
  const need = memoryNeed(facts, rules);
  if (memoryMib === undefined || need === undefined) return [];
  const subject = facts.size?.trim() ?? 'memory';
  if (memoryMib < need.gb * 1024) return [shortage(facts, subject, memoryMib, need)];
  if (need.rule.volumes === 'os' && facts.rootUsedGb === undefined) return [rootUseUnknown(subject, memoryMib)];
  return [];
}

function shortage(facts: SupportFacts, subject: string, memoryMib: number, need: MemoryNeed): Finding {
  const needed = gigabytes(need.gb * 1024);
  const present = gigabytes(memoryMib);
  const used = facts.rootUsedGb;
  if (facts.osState === 'EncryptionInProgress') {
    return found(
      'refuse',
      'REQ-026',
      subject,
      {
        en: `${needed} GB of memory are needed until the OS disk is encrypted, and the VM has ${present} GB`,
        ja: `OS ディスクの暗号化が完了するまで ${needed} GB のメモリが必要ですが、VM のメモリは ${present} GB です`,
      },
      {
        en: 'wait until the OS disk is Encrypted; the VM may run with less memory then',
        ja: 'OS ディスクが Encrypted になるまで待ってください。その後はより少ないメモリで実行できます',
      },
    );
  }
  const because = {
    data: { en: 'to encrypt data volumes', ja: 'データ ボリュームの暗号化' },
    os: {
      en: `to encrypt the OS volume${used === undefined ? '' : ` with ${used} GB used on /`}`,
      ja: `OS ボリュームの暗号化${used === undefined ? '' : ` (/ の使用量 ${used} GB)`}`,
    },
  }[need.rule.volumes];
  return found(
    'refuse',
    need.rule.requirement,
    subject,
    {
      en: `${needed} GB of memory are needed ${because.en}, and the VM has ${present} GB`,
      ja: `${because.ja}には ${needed} GB のメモリが必要ですが、VM のメモリは ${present} GB です`,
    },
    {
      en: `use a size with ${needed} GB or more; once the OS disk is encrypted the VM may run with less`,
      ja: `${needed} GB 以上のサイズを使ってください。OS ディスクの暗号化が完了した後は、より少ないメモリで実行できます`,
    },
  );
}

function rootUseUnknown(subject: string, memoryMib: number): Finding {
  const limit = gigabytes(memoryMib / 2);
  return found(
    'note',
    'REQ-024',
    subject,
    {
      en: `the space used on / is not known; this memory is enough for up to ${limit} GB`,
      ja: `/ の使用量が不明です。このメモリで足りるのは使用量が ${limit} GB までの場合です`,
    },
    { en: 'give it with --root-used-gb', ja: '--root-used-gb で指定してください' },
  );
}

/** Two digits at most: 8212.48 MiB → `8.02`. */
function gigabytes(mib: number): string {
  return String(Math.round((mib / 1024) * 100) / 100);
}
