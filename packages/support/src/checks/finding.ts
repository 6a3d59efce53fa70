import type { Finding, Severity, Text } from '@kannuki/core';

/** One finding; a function so that the checks read as sentences. */
export function found(severity: Severity, rule: string, subject: string, message: Text, remedy: Text): Finding {
  return { rule, severity, subject, message, remedy };
}
