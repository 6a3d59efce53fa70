import { secretLimits } from '../limits.ts';
import type { CurveName, KeyChange, SecretChange, Tags, Validity } from '../service/model.ts';
import { arrayOf, booleanOf, integerOf, objectOf, textOf } from './fields.ts';
import type { JsonObject } from './json-value/parse.ts';
import { badParameter, Refusal } from './refusal.ts';

/** What requests say about an object beside its key or value. */

/** The last second of the year 9999. */
const latestTime = 253_402_300_799;
const tagLimits = { keys: 256, secrets: secretLimits.tagName } as const;
export const keyOperations = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'] as const;
export const curves = ['P-256', 'P-384', 'P-521', 'P-256K'] as const satisfies readonly CurveName[];

/** Of a new object. */
export function validityOf(body: JsonObject): Validity {
  const { enabled = true, notBefore = null, expires = null } = validityChange(body);
  return { enabled, notBefore, expires };
}

function validityChange(body: JsonObject): { enabled?: boolean; notBefore?: number; expires?: number } {
  const attributes = objectOf(body, 'attributes');
  if (attributes === undefined) return {};
  if (booleanOf(attributes, 'exportable') === true) throw notExportable();
  const enabled = booleanOf(attributes, 'enabled');
  const notBefore = integerOf(attributes, 'nbf', 0, latestTime);
  const expires = integerOf(attributes, 'exp', 0, latestTime);
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(expires === undefined ? {} : { expires }),
  };
}

export function keyChange(body: JsonObject): KeyChange {
  assertNotReleasable(body);
  const operations = operationsOf(body);
  const tags = tagsOf(body, 'keys');
  return {
    ...validityChange(body),
    ...(operations === undefined ? {} : { operations }),
    ...(tags === undefined ? {} : { tags }),
  };
}

export function secretChange(body: JsonObject): SecretChange {
  const contentType = contentTypeOf(body);
  const tags = tagsOf(body, 'secrets');
  return {
    ...validityChange(body),
    ...(contentType === undefined ? {} : { contentType }),
    ...(tags === undefined ? {} : { tags }),
  };
}

export function contentTypeOf(body: JsonObject): string | undefined {
  return textOf(body, 'contentType', secretLimits.contentType);
}

/** REQ-326. */
export function tagsOf(body: JsonObject, collection: 'keys' | 'secrets'): Tags | undefined {
  const members = objectOf(body, 'tags');
  if (members === undefined) return undefined;
  if (members.size > secretLimits.tags) throw badParameter('tags', `there are more than ${secretLimits.tags}`);
  const longest = tagLimits[collection];
  const tags: [string, string][] = [];
  for (const [name, value] of members) {
    if (typeof value !== 'string') throw badParameter('tags', 'the value of a tag is not a string');
    if (name.length === 0 || name.length > longest || value.length > longest) {
      throw badParameter('tags', `names have 1 to ${longest} characters, values at most as many`);
    }
    tags.push([name, value]);
  }
  // fromEntries defines members, so that a tag called __proto__ is one.
  return Object.fromEntries(tags);
}

export function operationsOf(body: JsonObject): readonly string[] | undefined {
  const given = arrayOf(body, 'key_ops', 16);
  if (given === undefined) return undefined;
  const operations = new Set<string>();
  for (const each of given) {
    const known = keyOperations.find((operation) => operation === each);
    if (known === undefined) throw badParameter('key_ops', `each is one of ${keyOperations.join(', ')}`);
    operations.add(known);
  }
  return [...operations];
}

/** Nothing here attests, so nothing could ever be released (REQ-342). */
export function assertNotReleasable(body: JsonObject): void {
  if ((body.get('release_policy') ?? null) !== null) throw notExportable();
}

function notExportable(): Refusal {
  return new Refusal(400, 'BadParameter', 'Keys of this vault are never exportable and have no release policy.');
}
