import { type ErrorCode, type Finding, KannukiError, type Text } from '@kannuki/core';

/** A finding that forbids a rebuild or a kit. */
export function refusal(subject: string, message: Text, remedy: Text): Finding {
  return { rule: 'RECOVERY', severity: 'refuse', subject, message, remedy };
}

/** @throws KannukiError with all findings, when there are any */
export function refuseIfAny(code: ErrorCode, target: string, findings: readonly Finding[]): void {
  if (findings.length > 0) throw new KannukiError(code, { details: { target }, findings });
}
