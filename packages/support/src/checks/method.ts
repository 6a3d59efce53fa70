import type { Finding, Text } from '@kannuki/core';
import type { Method, SupportFacts } from '../facts.ts';
import type { SupportedImage } from '../images/image.ts';
import { standingOf } from '../images/standing.ts';
import type { SupportRules } from '../rules/rules.ts';
import { found } from './finding.ts';

const names: Readonly<Record<Method, Text>> = {
  new: { en: 'the present method', ja: '現在の方式' },
  legacy: {
    en: 'the earlier method, with Microsoft Entra credentials',
    ja: 'Microsoft Entra 資格情報を使う以前の方式',
  },
};

/** Is this the right method for the VM? REQ-010, REQ-036, REQ-037. */
export function checkMethod(facts: SupportFacts, rules: SupportRules): Finding[] {
  const method = facts.method ?? 'new';
  const before = facts.encryptedBy ?? undefined;
  const subject = facts.urn?.trim() ?? 'method';
  const findings: Finding[] = [];
  if (before !== undefined && before !== method) findings.push(otherMethod(before, method));
  if (method === 'legacy' && before === undefined) findings.push(notForNewVms());
  if (method === 'legacy') findings.push(...checkLegacy(facts, subject, rules));
  return findings;
}

function otherMethod(before: Method, method: Method): Finding {
  return found(
    'refuse',
    'REQ-010',
    'method',
    {
      en: `the VM was encrypted with ${names[before].en}, and keeps it; ${names[method].en} was asked for`,
      ja: `この VM は${names[before].ja}で暗号化されており、引き続きその方式を使う必要がありますが、${names[method].ja}が指定されています`,
    },
    { en: `use ${names[before].en}`, ja: `${names[before].ja}を使ってください` },
  );
}

function notForNewVms(): Finding {
  return found(
    'warn',
    'REQ-036',
    'method',
    {
      en: `${names.legacy.en}, is not recommended for VMs that were never encrypted`,
      ja: `${names.legacy.ja}は、暗号化したことのない新しい VM には推奨されません`,
    },
    { en: `use ${names.new.en}`, ja: `${names.new.ja}を使ってください` },
  );
}

function checkLegacy(facts: SupportFacts, subject: string, rules: SupportRules): Finding[] {
  const image = tableImage(facts, rules);
  const { newestRhel, newestPython } = rules.legacyMethod;
  const findings: Finding[] = [];
  if (image?.distribution === 'RHEL' && isLater(image.release, newestRhel)) {
    findings.push(
      incompatible(subject, {
        en: `does not work with RHEL later than ${newestRhel}; this image is RHEL ${image.release}`,
        ja: `RHEL ${newestRhel} より後のバージョンと互換性がありません。このイメージは RHEL ${image.release} です`,
      }),
    );
  }
  const python = facts.pythonMajor ?? image?.pythonDefault;
  if (python !== undefined && python > newestPython) {
    findings.push(
      incompatible(subject, {
        en: `does not work where Python ${python} is the default`,
        ja: `Python ${python} が既定の環境と互換性がありません`,
      }),
    );
  }
  return findings;
}

function incompatible(subject: string, what: Text): Finding {
  return found(
    'refuse',
    'REQ-037',
    subject,
    { en: `${names.legacy.en}, ${what.en}`, ja: `${names.legacy.ja}は、${what.ja}` },
    { en: `use ${names.new.en}`, ja: `${names.new.ja}を使ってください` },
  );
}

function tableImage(facts: SupportFacts, rules: SupportRules): SupportedImage | undefined {
  if (facts.urn === undefined) return undefined;
  const standing = standingOf(facts.urn, rules);
  if (standing.answer === 'supported') return standing.by === 'table' ? standing.image : undefined;
  return standing.answer === 'endorsed-not-supported' ? standing.otherVersion : undefined;
}

/** Compares releases by their numbers: 7.10 is later than 7.9, and a whole major (`8`) stands for its first release. */
function isLater(release: string, limit: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const [limitMajor = 0, limitMinor = 0] = limit.split('.').map(Number);
  return major > limitMajor || (major === limitMajor && minor > limitMinor);
}
