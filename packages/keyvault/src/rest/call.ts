import type { SecretBytes } from '@kannuki/core';
import type { VaultSettings } from '../service/access.ts';
import type { VaultObjects, VaultTerms } from '../service/vault-objects.ts';
import type { JsonValue } from './json-value/parse.ts';
import type { ParsedPath, ParsedQuery } from './path.ts';
import { notFound, type Subject } from './refusal.ts';

/** One admitted call, ready to be done. */
export interface Call {
  readonly baseUrl: string;
  readonly settings: VaultSettings;
  readonly terms: VaultTerms;
  readonly objects: VaultObjects;
  readonly path: ParsedPath;
  readonly query: ParsedQuery;
  readonly subject: Subject;
  /** Undefined where the request has none or the route takes none. Lives as long as the call. */
  readonly body: JsonValue | undefined;
}

/** What a call came to. */
export interface Answer {
  readonly status: 200 | 204;
  /** Null for 204. */
  readonly body: object | null;
  /** Goes out as the member `value`; disposed when it is written. */
  readonly value?: { readonly form: 'text' | 'base64url'; readonly secret: SecretBytes };
  /** What was really used, for the audit record. */
  readonly used: { readonly name: string; readonly version: string | null } | null;
}

export type Handler = (call: Call) => Promise<Answer>;

const objectVersion = /^[0-9a-f]{32}$/i;

export function isVersion(text: string): boolean {
  return objectVersion.test(text);
}

export function nameOf(call: Call): string {
  if (call.path.name === null) throw notFound(call.subject);
  return call.path.name;
}

/** @throws Refusal 404 where the path has something there that is no version: nothing can have it */
export function versionOf(call: Call): string | null {
  const { version } = call.path;
  if (version === null) return null;
  if (!isVersion(version)) throw notFound(call.subject);
  return version.toLowerCase();
}

export function ok(body: object, used: Answer['used'], value?: Answer['value']): Answer {
  return value === undefined ? { status: 200, body, used } : { status: 200, body, used, value };
}

export function noContent(used: Answer['used']): Answer {
  return { status: 204, body: null, used };
}
