import { textOf } from './fields.ts';
import type { JsonObject } from './json-value/parse.ts';
import { badParameter } from './refusal.ts';

const base64Url = /^[0-9A-Za-z_-]+$/;

/** A long base64url member that is no secret (a sealed backup). @throws Refusal 400 */
export function base64UrlText(body: JsonObject, member: string): Uint8Array {
  const text = textOf(body, member, Number.MAX_SAFE_INTEGER)?.replace(/={1,2}$/, '') ?? '';
  if (!base64Url.test(text)) throw badParameter(member, 'it is missing or is not base64url');
  return Buffer.from(text, 'base64url');
}
