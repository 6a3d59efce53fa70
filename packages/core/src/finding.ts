import type { Language, Text } from './language.ts';

export type Severity = 'refuse' | 'warn' | 'note';

/** One result of a check. A refusal changes nothing on the machine, and all findings are listed, not the first. */
export interface Finding {
  /** Requirement id, `REQ-nnn`; `AUDIT` for what is wrong with an audit log, `RECOVERY` for a header or a recovery kit. */
  readonly rule: string;
  readonly severity: Severity;
  /** The thing the finding is about: a mount point, device, image, size, vault. */
  readonly subject: string;
  readonly message: Text;
  readonly remedy: Text;
}

/** A finding as the command line and the wire carry it, in one language. */
export interface RenderedFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly message: string;
  readonly remedy: string;
}

export function renderFinding(finding: Finding, language: Language): RenderedFinding {
  const { rule, severity, subject, message, remedy } = finding;
  return { rule, severity, subject, message: message[language], remedy: remedy[language] };
}

/** True when at least one finding forbids to go on. */
export function isRefused(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'refuse');
}
