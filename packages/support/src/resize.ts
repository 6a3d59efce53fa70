import type { Finding } from '@kannuki/core';
import { found } from './checks/finding.ts';
import { checkMemory } from './checks/memory.ts';
import { checkSize } from './checks/size.ts';
import { findSize, type SupportRules, supportRules } from './rules/rules.ts';

export interface ResizeFacts {
  readonly fromSize: string;
  readonly toSize: string;
  /** State of the OS volume, e.g. `Encrypted`. */
  readonly osState: string;
  readonly rootUsedGb?: number | undefined;
}

/**
 * May an encrypted VM get another size? Less memory is fine once the OS volume is encrypted, but not while that runs
 * (REQ-026); never to a Basic or A-series size; never between sizes with and without a local temporary disk (REQ-077).
 */
export function checkResize(facts: ResizeFacts, rules: SupportRules = supportRules()): Finding[] {
  const { fromSize, toSize, osState, rootUsedGb } = facts;
  const encrypting = osState === 'EncryptionInProgress';
  const memory = encrypting ? checkMemory({ volumeType: 'ALL', size: toSize, osState, rootUsedGb }, rules) : [];
  return [
    ...checkSize({ volumeType: 'DATA', size: toSize }, rules),
    ...memory,
    ...checkTemporaryDisk(fromSize, toSize, rules),
  ];
}

function checkTemporaryDisk(fromSize: string, toSize: string, rules: SupportRules): Finding[] {
  const before = findSize(rules, fromSize)?.temporaryDiskMib ?? undefined;
  const after = findSize(rules, toSize)?.temporaryDiskMib ?? undefined;
  if (before === undefined || after === undefined || before > 0 === after > 0) return [];
  return [
    found(
      'refuse',
      'REQ-077',
      toSize,
      {
        en: 'Unable to resize the VM since changing from resource disk to non-resource disk VM size and vice-versa is not allowed.',
        ja: 'ローカル一時ディスクのあるサイズとないサイズの間では、VM のサイズを変更できません',
      },
      {
        en: `choose a size ${before > 0 ? 'with' : 'without'} a local temporary disk`,
        ja: `ローカル一時ディスクの${before > 0 ? 'ある' : 'ない'}サイズを選んでください`,
      },
    ),
  ];
}
