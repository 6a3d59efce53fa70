import { SecretBytes } from '@kannuki/core';
import { decodeBase64Url } from './json-value/base64url.ts';
import type { JsonObject, JsonValue } from './json-value/parse.ts';
import { badParameter, Refusal } from './refusal.ts';

/** Members of a request's JSON by their type. `null` is as good as absent, as with Azure; else a refusal names the member. */

export function textOf(body: JsonObject, member: string, maximum: number): string | undefined {
  const value = present(body, member);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw badParameter(member, 'it is not a string');
  if (value.length > maximum) throw badParameter(member, `it is longer than ${maximum} characters`);
  return value;
}

export function requiredText(body: JsonObject, member: string, maximum: number): string {
  return required(textOf(body, member, maximum), member);
}

export function wordOf<Word extends string>(
  body: JsonObject,
  member: string,
  words: readonly Word[],
): Word | undefined {
  const text = textOf(body, member, 100);
  if (text === undefined) return undefined;
  const word = words.find((each) => each === text);
  if (word === undefined) throw badParameter(member, `it is not one of ${words.join(', ')}`);
  return word;
}

export function booleanOf(body: JsonObject, member: string): boolean | undefined {
  const value = present(body, member);
  if (value === undefined || typeof value === 'boolean') return value;
  throw badParameter(member, 'it is not true or false');
}

export function integerOf(body: JsonObject, member: string, minimum: number, maximum: number): number | undefined {
  const value = present(body, member);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw badParameter(member, `it is not a whole number from ${minimum} to ${maximum}`);
}

export function objectOf(body: JsonObject, member: string): JsonObject | undefined {
  const value = present(body, member);
  if (value === undefined) return undefined;
  if (isJsonObject(value)) return value;
  throw badParameter(member, 'it is not an object');
}

export function arrayOf(body: JsonObject, member: string, maximum: number): readonly JsonValue[] | undefined {
  const value = present(body, member);
  if (value === undefined) return undefined;
  if (!isJsonArray(value)) throw badParameter(member, 'it is not an array');
  if (value.length > maximum) throw badParameter(member, `it has more than ${maximum} entries`);
  return value;
}

/** A member that the body's plan keeps as bytes; stays the body's. */
export function bytesOf(body: JsonObject, member: string): SecretBytes {
  const value = required(present(body, member), member);
  if (value instanceof SecretBytes) return value;
  throw badParameter(member, 'it is not a string');
}

/** The same, undone from base64url; the caller disposes it. */
export function base64UrlOf(body: JsonObject, member: string): SecretBytes {
  const decoded = decodeBase64Url(bytesOf(body, member).bytes);
  if (decoded === undefined) throw badParameter(member, 'it is not base64url');
  return decoded;
}

/** @throws Refusal 400 where a body is missing or no object */
export function requireObject(value: JsonValue | undefined): JsonObject {
  if (value !== undefined && isJsonObject(value)) return value;
  throw new Refusal(400, 'BadParameter', 'The request body is missing or is not the JSON object that this call takes.');
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function present(body: JsonObject, member: string): JsonValue | undefined {
  return body.get(member) ?? undefined;
}

function required<Value>(value: Value | undefined, member: string): Value {
  if (value === undefined) throw badParameter(member, 'it is missing');
  return value;
}
