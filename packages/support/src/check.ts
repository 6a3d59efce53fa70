import type { Finding, Severity } from '@kannuki/core';
import { checkImage } from './checks/image.ts';
import { checkKek } from './checks/kek.ts';
import { checkMemory } from './checks/memory.ts';
import { checkMethod } from './checks/method.ts';
import { checkPlace } from './checks/place.ts';
import { checkSize } from './checks/size.ts';
import { checkTarget } from './checks/target.ts';
import type { SupportFacts } from './facts.ts';
import { type SupportRules, supportRules } from './rules/rules.ts';

const checks: readonly ((facts: SupportFacts, rules: SupportRules) => Finding[])[] = [
  checkTarget,
  checkImage,
  checkSize,
  checkMemory,
  checkMethod,
  checkPlace,
  checkKek,
];

const order: readonly Severity[] = ['refuse', 'warn', 'note'];

/**
 * Can this VM be encrypted? All findings, refusals first; an empty list and a list without refusals both mean yes
 * (`isRefused`). Pure: nothing is read, asked or changed.
 * @example checkSupport({ volumeType: 'DATA', urn, size: 'Standard_D2s_v5', date: '2026-11-23' }, supportRules())
 */
export function checkSupport(facts: SupportFacts, rules: SupportRules = supportRules()): Finding[] {
  const findings = checks.flatMap((check) => check(facts, rules));
  return findings.sort((left, right) => order.indexOf(left.severity) - order.indexOf(right.severity));
}
