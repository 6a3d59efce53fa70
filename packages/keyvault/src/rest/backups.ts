import { textOf } from './fields.ts';
import type { JsonObject } from './json-value/parse.ts';
import { badParameter, Refusal } from './refusal.ts';

/** Backups (REQ-343) are sealed, so they may be strings. */

/** Of the body of a restore, bytes: 500 versions of a key, or of a secret of 5 KB. */
export const restoreLimit = 4 * 1024 * 1024;
/** `{"value":""}`, with room for white space and members that a client adds. */
const roomAroundValue = 1024;

const base64Url = /^[0-9A-Za-z_-]+$/;

/** @throws Refusal 400 where it is too large for `restoreLimit`: a backup that cannot be restored must not be handed out */
export function backupBody(backup: Uint8Array): { readonly value: string } {
  const value = Buffer.from(backup.buffer, backup.byteOffset, backup.byteLength).toString('base64url');
  if (value.length <= restoreLimit - roomAroundValue) return { value };
  throw new Refusal(400, 'BadParameter', 'The object is too large to be restored from a backup; no backup was made.');
}

/** @throws Refusal 400 */
export function backupOf(body: JsonObject): Uint8Array {
  const text = textOf(body, 'value', restoreLimit)?.replace(/={1,2}$/, '') ?? '';
  if (!base64Url.test(text)) throw badParameter('value', 'it is missing or is not base64url');
  return Buffer.from(text, 'base64url');
}
