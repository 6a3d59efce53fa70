import { KannukiError } from '@kannuki/core';
import type { Caller } from '@kannuki/keyvault/service/access';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalid } from './arm-error.ts';
import type { Operation } from './operations.ts';

/** What the ARM routes know of a request besides its path and body. */
export interface ArmContext {
  readonly caller: Caller;
  /** `https://HOST[:PORT]` as the client sees this server. */
  readonly baseUrl: string;
  /** What follows a vault's name in the addresses that this client uses, with port. */
  readonly vaultSuffix: string;
}

const contexts = new WeakMap<FastifyRequest, ArmContext>();

export function setContext(request: FastifyRequest, context: ArmContext): void {
  contexts.set(request, context);
}

export function contextOf(request: FastifyRequest): ArmContext {
  const context = contexts.get(request);
  if (context === undefined) throw new Error('a route of ARM outside of its plugin');
  return context;
}

export function callerOf(request: FastifyRequest): Caller {
  return contextOf(request).caller;
}

const apiVersionShape = /^\d{4}-\d{2}-\d{2}(?:-[A-Za-z0-9.]{1,30})?$/;

/** REQ-322: there has to be one, of any value: clients of all ages come here. @throws KannukiError KNK-ARM-0008 */
export function apiVersionOf(request: FastifyRequest): string {
  const value = queryOf(request, 'api-version');
  if (value === undefined || !apiVersionShape.test(value)) throw new KannukiError('KNK-ARM-0008');
  return value;
}

/** @throws KannukiError KNK-ARM-0009 where it is given twice */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  const query = request.query as Readonly<Record<string, unknown>>;
  const value = query[name] ?? query[name.toLowerCase()];
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(`the query parameter ${name}`, 'it is given more than once');
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws KannukiError KNK-ARM-0009 */
export function bodyOf(request: FastifyRequest): JsonObject {
  return objectOf(request.body, 'the body');
}

/** @throws KannukiError KNK-ARM-0009 */
export function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(what, 'it is no JSON object');
  return value as JsonObject;
}

const locationShape = /^[A-Za-z0-9 -]{1,64}$/;

/** @throws KannukiError KNK-ARM-0009 */
export function locationIn(body: JsonObject): string | undefined {
  const { location } = body;
  if (location === undefined || location === null) return undefined;
  if (typeof location !== 'string' || !locationShape.test(location)) {
    throw invalid('location', 'a region has 1 to 64 letters, digits, spaces and hyphens');
  }
  return location;
}

/** REQ-119: spaces and letter case do not count. */
export function isSameLocation(left: string, right: string): boolean {
  const plain = (text: string): string => text.replaceAll(' ', '').toLowerCase();
  return plain(left) === plain(right);
}

const mostTags = 50;

/** @returns undefined where the body has none. @throws KannukiError KNK-ARM-0009 */
export function tagsIn(body: JsonObject): Readonly<Record<string, string>> | undefined {
  if (body.tags === undefined || body.tags === null) return undefined;
  const entries = Object.entries(objectOf(body.tags, 'tags'));
  if (entries.length > mostTags) throw invalid('tags', `there are more than ${mostTags}`);
  for (const [name, value] of entries) {
    if (!/^[^<>%&\\?/]{1,512}$/.test(name)) throw invalid('tags', 'a name is too long or has one of <>%&\\?/');
    if (typeof value !== 'string' || value.length > 256) throw invalid('tags', 'a value has up to 256 characters');
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

const mostItems = 1000;

/** One page of a list, as `$top` and our own `nextLink` ask for it. @throws KannukiError KNK-ARM-0009 */
export function pageOf<Item>(
  request: FastifyRequest,
  items: readonly Item[],
): { value: readonly Item[]; nextLink?: string } {
  const numberIn = (name: string, fallback: number): number => {
    const text = queryOf(request, name);
    if (text === undefined) return fallback;
    if (!/^\d{1,9}$/.test(text)) throw invalid(name, 'it is no number');
    return Number(text);
  };
  const start = numberIn('$skiptoken', 0);
  const end = start + Math.max(1, Math.min(numberIn('$top', mostItems), mostItems));
  const value = items.slice(start, end);
  if (end >= items.length) return { value };
  const next = new URL(request.url, contextOf(request).baseUrl);
  next.searchParams.set('$skiptoken', String(end));
  return { value, nextLink: next.href };
}

/** Answers 202: the work goes on, and these are the two ways to ask for its end. */
export function accepted(
  request: FastifyRequest,
  reply: FastifyReply,
  operation: Operation,
  { subscriptionId, provider, location }: { subscriptionId: string; provider: string; location: string },
): FastifyReply {
  const { baseUrl } = contextOf(request);
  const place = encodeURIComponent(location.replaceAll(' ', '').toLowerCase());
  const under = `${baseUrl}/subscriptions/${subscriptionId}/providers/${provider}/locations/${place}`;
  const query = `?api-version=${apiVersionOf(request)}`;
  return reply
    .code(202)
    .header('azure-asyncoperation', `${under}/operations/${operation.id}${query}`)
    .header('location', `${under}/operationResults/${operation.id}${query}`)
    .header('retry-after', '1')
    .send();
}
