import { randomUUID } from 'node:crypto';
import { KannukiError, type Language } from '@kannuki/core';
import { findingsData, findingsTable } from '../output/findings.ts';
import { printable } from '../output/printable.ts';
import { renderJson } from '../output/render.ts';
import { renderTable } from '../output/table.ts';
import type { OutputFormat } from './common-options.ts';
import type { OutputStream } from './context.ts';

interface ReportOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly language: Language;
  readonly format: OutputFormat;
  readonly verbose: boolean;
  /** JSON on one line, because standard output is a stream of events. */
  readonly compact: boolean;
}

/**
 * The one place where an error becomes text and an exit code. People get one line on standard error; programs that asked
 * for JSON get `{"error":{"code","message","remedy","details"}}` on standard output as well, and findings go there too.
 * @returns the exit code
 */
export function reportError(thrown: unknown, options: ReportOptions): number {
  const { stdout, stderr, language, format } = options;
  const error = thrown instanceof KannukiError ? thrown : bug(thrown);
  const message = printable(error.describe(language));
  const remedy = printable(error.remedy(language));
  stderr.write(`kannuki: error ${error.code}: ${message}; ${remedy}\n`);
  if (error.code === 'KNK-CLI-0007') stderr.write(stackOf(thrown));
  else if (options.verbose) stderr.write(causesOf(error));

  if (format === 'json') {
    const body = { code: error.code, message, remedy, details: error.details };
    const findings = error.findings.length === 0 ? {} : { findings: findingsData(error.findings, language) };
    stdout.write(renderJson({ error: body, ...findings }, options.compact));
  } else if (error.findings.length > 0) {
    stdout.write(renderTable(findingsTable(error.findings, language), stdout.columns));
  }
  return error.exitCode;
}

/** What is not ours was not foreseen: a bug. The trace id ties the user's report to the lines printed below it. */
function bug(thrown: unknown): KannukiError {
  const problem = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  const details = { trace: randomUUID().replaceAll('-', ''), problem: problem.slice(0, 500) };
  return new KannukiError('KNK-CLI-0007', { details, cause: thrown });
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return '';
  const calls = thrown.stack.split('\n').filter((line) => /^\s+at /.test(line));
  return calls
    .slice(0, 20)
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function causesOf(error: KannukiError): string {
  const lines: string[] = [];
  let cause = error.cause;
  while (cause instanceof Error && lines.length < 10) {
    lines.push(`  because: ${printable(cause.message.slice(0, 500))}\n`);
    cause = cause.cause;
  }
  return lines.join('');
}
