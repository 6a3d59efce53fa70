import type { Finding, Language, RenderedFinding, Severity, Text } from '@kannuki/core';
import { renderFinding } from '@kannuki/core';
import type { Table } from './table.ts';

const severityText: Readonly<Record<Severity, Text>> = {
  refuse: { en: 'refuse', ja: '拒否' },
  warn: { en: 'warn', ja: '警告' },
  note: { en: 'note', ja: '情報' },
};

/** Findings as JSON carries them. */
export function findingsData(findings: readonly Finding[], language: Language): RenderedFinding[] {
  return findings.map((finding) => renderFinding(finding, language));
}

/** Findings as people read them. */
export function findingsTable(findings: readonly Finding[], language: Language): Table {
  const titles =
    language === 'ja'
      ? ['重大度', '規則', '対象', '内容', '対処']
      : ['Severity', 'Rule', 'Subject', 'Message', 'Remedy'];
  return {
    columns: titles.map((title, index) => ({ title, wrap: index >= 2 })),
    rows: findings.map((finding) => [
      severityText[finding.severity][language],
      finding.rule,
      finding.subject,
      finding.message[language],
      finding.remedy[language],
    ]),
  };
}
