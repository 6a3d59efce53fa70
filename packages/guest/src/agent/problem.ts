import { type AgentProblem, exitCodes, KannukiError, renderFinding } from '@kannuki/core';

/** A failure as the status carries it. Only errors of the catalogue are quoted: a foreign text might hold anything. */
export function problemOf(target: string, thrown: unknown): AgentProblem {
  const error = thrown instanceof KannukiError ? thrown : foreign(target, thrown);
  return {
    target,
    code: error.code,
    message: short(error.describe('en')),
    remedy: short(error.remedy('en')),
    findings: error.findings.slice(0, 64).map((finding) => {
      const { rule, severity, subject, message, remedy } = renderFinding(finding, 'en');
      return { rule, severity, subject: short(subject), message: short(message), remedy: short(remedy) };
    }),
  };
}

/** A refusal stays one until somebody changes something; anything else may pass. */
export function isRefusal(thrown: unknown): boolean {
  return (
    thrown instanceof KannukiError && (thrown.exitCode === exitCodes.refused || thrown.exitCode === exitCodes.usage)
  );
}

function foreign(target: string, thrown: unknown): KannukiError {
  const { code, name } = thrown as { code?: unknown; name?: unknown };
  const reason = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  return new KannukiError('KNK-AGT-0011', { details: { target, reason: reason.slice(0, 100) }, cause: thrown });
}

function short(text: string): string {
  return text.slice(0, 2000);
}
