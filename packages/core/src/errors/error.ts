import type { Finding } from '../finding.ts';
import type { Language } from '../language.ts';
import { catalogueEntry, type ErrorCode } from './catalogue.ts';
import { exitCodes } from './exit-codes.ts';

export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

interface KannukiErrorOptions {
  /** Fills `{name}` in the catalogue's texts; shown to people, so never a secret. */
  readonly details?: ErrorDetails;
  readonly findings?: readonly Finding[];
  readonly cause?: unknown;
}

/**
 * The one error class. Library code throws it and never logs; the edge (command line, HTTP) turns it into
 * an exit code or a status once.
 * @example throw new KannukiError('KNK-CMD-0002', { details: { program: 'cryptsetup' } });
 */
export class KannukiError extends Error {
  override readonly name = 'KannukiError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly findings: readonly Finding[];

  constructor(code: ErrorCode, options: KannukiErrorOptions = {}) {
    const details = options.details ?? {};
    super(`${code}: ${fill(catalogueEntry(code).message.en, details)}`, { cause: options.cause });
    this.code = code;
    this.details = details;
    this.findings = options.findings ?? [];
  }

  get exitCode(): number {
    return exitCodes[catalogueEntry(this.code).exit];
  }

  get httpStatus(): number {
    return catalogueEntry(this.code).http;
  }

  /** What happened, in the reader's language. */
  describe(language: Language): string {
    return fill(catalogueEntry(this.code).message[language], this.details);
  }

  /** What to do about it, in the reader's language. */
  remedy(language: Language): string {
    return fill(catalogueEntry(this.code).remedy[language], this.details);
  }
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = details[name];
    return value === undefined ? whole : String(value);
  });
}

/** Whether a value thrown by anyone is ours and has this code. */
export function hasCode(error: unknown, code: ErrorCode): error is KannukiError {
  return error instanceof KannukiError && error.code === code;
}
