import { isObjectName, type ObjectCollection } from '../object-id.ts';
import { badParameter, Refusal } from './refusal.ts';

/** A path taken apart (REQ-325): what it names, and the pattern by which the route is found. */
export interface ParsedPath {
  /** `keys/{n}/{v}/wrapkey`: fixed words in lower case, the rest as placeholders. */
  readonly pattern: string;
  readonly collection: ObjectCollection;
  readonly isDeleted: boolean;
  readonly name: string | null;
  /** As sent (not yet known to be a version); null for the newest. */
  readonly version: string | null;
}

const maximumPath = 1024;
const collections = new Map<string, { collection: ObjectCollection; isDeleted: boolean }>([
  ['keys', { collection: 'keys', isDeleted: false }],
  ['secrets', { collection: 'secrets', isDeleted: false }],
  ['deletedkeys', { collection: 'keys', isDeleted: true }],
  ['deletedsecrets', { collection: 'secrets', isDeleted: true }],
  ['rng', { collection: 'keys', isDeleted: false }],
]);
/** What may stand in the place of a version, and behind it. */
const verbs = new Set(
  'create versions backup rotate rotationpolicy recover release encrypt decrypt wrapkey unwrapkey sign verify'.split(
    ' ',
  ),
);

/** @throws Refusal 404 where no route can begin so, 400 where a name is none. */
export function parsePath(method: string, path: string): ParsedPath {
  if (path.length > maximumPath || path[0] !== '/') throw unknownPath();
  const trimmed = path.endsWith('/') ? path.slice(1, -1) : path.slice(1);
  const segments = (trimmed.includes('%') ? decoded(trimmed) : trimmed).split('/');
  const head = (segments[0] ?? '').toLowerCase();
  const found = collections.get(head);
  if (found === undefined || segments.length > 4) throw unknownPath();
  const second = segments[1];
  if (second === undefined) return { pattern: head, ...found, name: null, version: null };
  if (method === 'POST' && segments.length === 2 && second.toLowerCase() === 'restore') {
    return { pattern: `${head}/restore`, ...found, name: null, version: null };
  }
  if (!isObjectName(second)) throw badName();
  return { ...tail(head, segments), ...found, name: second };
}

function tail(head: string, segments: readonly string[]): Pick<ParsedPath, 'pattern' | 'version'> {
  const third = segments[2];
  if (third === undefined) return { pattern: `${head}/{n}`, version: null };
  const verb = third.toLowerCase();
  const isVerb = verbs.has(verb);
  const fourth = segments[3];
  if (fourth === undefined) {
    return isVerb
      ? { pattern: `${head}/{n}/${verb}`, version: null }
      : { pattern: `${head}/{n}/{v}`, version: third || null };
  }
  if (isVerb || !verbs.has(fourth.toLowerCase())) throw unknownPath();
  return { pattern: `${head}/{n}/{v}/${fourth.toLowerCase()}`, version: third || null };
}

/** After the split nothing may become a separator, so a decoded slash is refused with the name that it stands in. */
function decoded(path: string): string {
  if (/%2f/i.test(path)) throw badName();
  try {
    return decodeURIComponent(path);
  } catch {
    throw badName();
  }
}

function badName(): Refusal {
  return new Refusal(400, 'BadParameter', 'The request URI contains an invalid name.');
}

export function unknownPath(): Refusal {
  return new Refusal(404, 'NotFound', 'The request URI names nothing that this service knows.');
}

export interface ParsedQuery {
  readonly apiVersion: string;
  /** 1 to 25 (REQ-332). */
  readonly limit: number;
  readonly after: string | null;
}

const maximumQuery = 8192;
const defaultLimit = 25;
/** Any version that looks like one (REQ-322): clients are newer than any list of them. */
const apiVersion = /^[0-9][0-9A-Za-z.-]{0,39}$/;
const limitText = /^(?:[1-9]|1[0-9]|2[0-5])$/;
const tokenText = /^[0-9A-Za-z_-]{1,4096}$/;

/** @throws Refusal 400 */
export function parseQuery(query: string): ParsedQuery {
  if (query.length > maximumQuery) throw new Refusal(400, 'BadParameter', 'The query is too long.');
  const found = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    const name = queryText(pair.slice(0, equals)).toLowerCase();
    if (!found.has(name)) found.set(name, queryText(pair.slice(equals + 1)));
  }
  const version = found.get('api-version');
  if (version === undefined || version === '') {
    throw new Refusal(400, 'BadParameter', 'The query parameter api-version must be specified.');
  }
  if (!apiVersion.test(version)) throw badParameter('api-version', 'it is not a version of the API');
  return { apiVersion: version, limit: pageLimit(found.get('maxresults')), after: pageToken(found.get('$skiptoken')) };
}

function queryText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Refusal(400, 'BadParameter', 'The query is not percent-encoded UTF-8.');
  }
}

function pageLimit(text: string | undefined): number {
  if (text === undefined || text === '') return defaultLimit;
  if (!limitText.test(text)) throw badParameter('maxresults', 'it is not a number from 1 to 25');
  return Number(text);
}

function pageToken(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const token = tokenText.test(text) ? Buffer.from(text, 'base64url') : undefined;
  if (token === undefined) throw badParameter('$skiptoken', 'it is not one that this service gave');
  return token.toString('utf8');
}

/** Absolute, as clients follow it (REQ-332). */
export function nextLink(baseUrl: string, path: string, query: ParsedQuery, next: string): string {
  const token = Buffer.from(next, 'utf8').toString('base64url');
  return `${baseUrl}/${path}?api-version=${query.apiVersion}&$skiptoken=${token}&maxresults=${query.limit}`;
}
