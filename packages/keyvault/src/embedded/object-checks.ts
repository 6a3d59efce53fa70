import { isUtf8 } from 'node:buffer';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { maximumSecretBytes, secretLimits } from '../limits.ts';
import { isObjectName, type ObjectCollection } from '../object-id.ts';
import type { PageRequest, Tags, Validity } from '../service/model.ts';

/** REQ-326: for keys half of what secrets may have. */
const keyTagLimit = 256;
/** The end of the year 9999: what a date on the wire can say. */
const lastSecond = 253_402_300_799;
const largestPage = 25;

/** What a key can do, by its type; all of it unless told otherwise, as Azure. */
export const operationsOf = {
  RSA: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
  EC: ['sign', 'verify'],
} as const satisfies Record<'RSA' | 'EC', readonly string[]>;

export function wrongParameter(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0022', { details: { what, reason } });
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertName(name: string, collection: ObjectCollection): void {
  if (isObjectName(name)) return;
  const what = collection === 'keys' ? 'the name of the key' : 'the name of the secret';
  throw wrongParameter(what, 'a name is 1 to 127 letters, digits and hyphens');
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertTags(tags: Tags, collection: ObjectCollection): void {
  const entries = Object.entries(tags);
  if (entries.length > secretLimits.tags) throw wrongParameter('tags', `there are more than ${secretLimits.tags}`);
  const { tagName, tagValue } = collection === 'keys' ? { tagName: keyTagLimit, tagValue: keyTagLimit } : secretLimits;
  for (const [name, value] of entries) {
    if (name === '' || name.length > tagName) throw wrongParameter('tags', `a name has 1 to ${tagName} characters`);
    if (value.length > tagValue) throw wrongParameter('tags', `a value has at most ${tagValue} characters`);
  }
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertValidity({ notBefore, expires }: Validity): void {
  for (const [what, time] of [
    ['nbf', notBefore],
    ['exp', expires],
  ] as const) {
    if (time === null || (Number.isInteger(time) && time >= 0 && time <= lastSecond)) continue;
    throw wrongParameter(what, 'it is not a number of seconds since 1970');
  }
  if (notBefore !== null && expires !== null && expires <= notBefore) throw wrongParameter('exp', 'it is before nbf');
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertContentType(contentType: string | null): void {
  if (contentType === null || contentType.length <= secretLimits.contentType) return;
  throw wrongParameter('contentType', `it has more than ${secretLimits.contentType} characters`);
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertSecretValue(value: SecretBytes): void {
  if (value.length === 0) throw wrongParameter('the value', 'it is empty');
  if (value.length > maximumSecretBytes)
    throw wrongParameter('the value', `it has more than ${maximumSecretBytes} bytes`);
  if (!isUtf8(value.bytes)) throw wrongParameter('the value', 'it is not UTF-8');
}

/** @returns each operation once, in the usual order @throws KannukiError KNK-KVT-0022 */
export function checkedOperations(kty: 'RSA' | 'EC', operations: readonly string[] | null): readonly string[] {
  const possible: readonly string[] = operationsOf[kty];
  if (operations === null) return possible;
  const unknown = operations.find((operation) => !possible.includes(operation));
  if (unknown !== undefined) throw wrongParameter('key_ops', `a key of type ${kty} can do ${possible.join(', ')}`);
  return possible.filter((operation) => operations.includes(operation));
}

/** @throws KannukiError KNK-KVT-0022 */
export function assertPage({ limit }: PageRequest): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= largestPage) return;
  throw wrongParameter('maxresults', `it is a number from 1 to ${largestPage}`);
}
