import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Finding, isRefused, type Severity } from '@kannuki/core';
import type { BlockDevice, FstabEntry, GuestFacts } from '../../facts/model.ts';
import { volumeOf } from '../../targets/targets.ts';
import { checkVolumes } from '../check-volumes.ts';
import { dataPartition, dataUuid, healthyVm, line, rootLine } from './vm.ts';

export const mebibyte = 1024 * 1024;

/** Checks /data0 (the device sdc1) as if it had been named on the command line. */
export function check(
  facts: GuestFacts,
  options: { stopServices?: boolean; kernelName?: string } = {},
): readonly Finding[] {
  const named = facts.devices.find(({ kernelName }) => kernelName === (options.kernelName ?? 'sdc1'));
  assert.ok(named);
  return checkVolumes(facts, {
    volumes: [volumeOf(facts, named)],
    named: true,
    stopServices: options.stopServices ?? false,
  });
}

/** What is wrong with the VM, and the one finding that has to come of it. */
export interface Case {
  readonly what: string;
  readonly facts: Partial<GuestFacts>;
  readonly rule: string;
  readonly severity?: Severity;
  readonly subject: string;
  /** Has to be in the English message or remedy. */
  readonly says: RegExp;
  readonly options?: { stopServices?: boolean; kernelName?: string };
}

export function withData(
  changes: Partial<BlockDevice>,
  ...others: readonly BlockDevice[]
): Pick<GuestFacts, 'devices'> {
  const { devices } = healthyVm();
  return { devices: [...devices.map((one) => (one === dataPartition ? { ...one, ...changes } : one)), ...others] };
}

export function withLine(entry: Partial<FstabEntry>): Pick<GuestFacts, 'fstab'> {
  return { fstab: [rootLine, line(4, { source: `UUID=${dataUuid}`, point: '/data0', device: 'sdc1', ...entry })] };
}

export function withMounts(...more: GuestFacts['mounts']): Pick<GuestFacts, 'mounts'> {
  return { mounts: [...healthyVm().mounts, ...more] };
}

/** One folder of /var/lib/kannuki and /boot with something changed. */
export const space = (path: string, changes: object): Pick<GuestFacts, 'spaces'> => ({
  spaces: healthyVm().spaces.map((one) => (one.path === path ? { ...one, ...changes } : one)),
});

/** Runs each case as a test: its finding is there, once, in both languages; and only a refusal refuses. */
export function testCases(cases: readonly Case[]): void {
  for (const { what, facts, rule, severity = 'refuse', subject, says, options } of cases) {
    test(`${rule}: ${what}`, () => {
      const findings = check(healthyVm(facts), options);
      const found = findings.filter(
        (finding) =>
          finding.rule === rule &&
          finding.severity === severity &&
          says.test(`${finding.message.en}; ${finding.remedy.en}`),
      );
      assert.deepEqual(
        found.map((finding) => finding.subject),
        [subject],
        JSON.stringify(findings, null, 2),
      );
      assert.equal(isRefused(findings), severity === 'refuse', JSON.stringify(findings));
      for (const finding of findings) assertSpeaksBoth(finding);
    });
  }
}

function assertSpeaksBoth({ rule, message, remedy }: Finding): void {
  assert.match(rule, /^REQ-\d{3}$/);
  for (const text of [message.en, remedy.en]) assert.match(text, /[a-z]/);
  for (const text of [message.ja, remedy.ja]) {
    assert.match(text, /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u);
  }
  for (const text of [message.en, remedy.en, message.ja, remedy.ja]) assert.doesNotMatch(text, /undefined|null|NaN/);
}

/** What is right, by what it is: none of it has a finding. */
export function testAccepted(accepted: Readonly<Record<string, Partial<GuestFacts>>>): void {
  for (const [what, facts] of Object.entries(accepted)) {
    test(`accepted: ${what}`, () => assert.deepEqual(check(healthyVm(facts)), []));
  }
}
