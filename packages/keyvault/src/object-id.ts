import { KannukiError } from '@kannuki/core';

export type ObjectCollection = 'keys' | 'secrets';

/** The parts of `https://VAULT/keys|secrets/NAME[/VERSION]` (REQ-325). */
export interface ObjectId {
  /** Host with port where there is one, lower case. */
  readonly host: string;
  readonly collection: ObjectCollection;
  readonly name: string;
  /** 32 hexadecimal digits in lower case; null means the newest. */
  readonly version: string | null;
}

/** Azure's rule for names of keys and secrets (REQ-326). */
const objectName = /^[0-9a-zA-Z-]{1,127}$/;
const objectVersion = /^[0-9a-f]{32}$/;
const idShape = /^https:\/\/([a-z0-9.:-]{1,300})\/(keys|secrets)\/([^/]{1,127})(?:\/([^/]{0,64}))?\/?$/i;

export function isObjectName(name: string): boolean {
  return objectName.test(name);
}

/** @throws KannukiError KNK-KVT-0008 */
export function assertObjectName(name: string, collection: ObjectCollection): void {
  if (isObjectName(name)) return;
  const what = `the name of a ${collection === 'keys' ? 'key' : 'secret'}`;
  throw new KannukiError('KNK-KVT-0008', {
    details: { what, reason: 'a name is 1 to 127 letters, digits and hyphens' },
  });
}

/**
 * Reads an id as a vault writes it or a person types it (letter case and a trailing slash do not count).
 * @returns undefined where it is not the id of such an object
 */
export function parseObjectId(id: string, collection: ObjectCollection): ObjectId | undefined {
  const match = idShape.exec(id);
  const [, host, found, name, rawVersion] = match ?? [];
  if (host === undefined || name === undefined || found?.toLowerCase() !== collection) return undefined;
  const version = rawVersion === undefined || rawVersion === '' ? null : rawVersion.toLowerCase();
  if (!isObjectName(name) || (version !== null && !objectVersion.test(version))) return undefined;
  return { host: host.toLowerCase(), collection, name, version };
}

/** @throws KannukiError KNK-KVT-0008 */
export function requireObjectId(id: string, collection: ObjectCollection): ObjectId {
  const parsed = parseObjectId(id, collection);
  if (parsed !== undefined) return parsed;
  const what = `the id ${JSON.stringify(id.slice(0, 200))}`;
  throw new KannukiError('KNK-KVT-0008', {
    details: { what, reason: `it is not https://VAULT/${collection}/NAME or https://VAULT/${collection}/NAME/VERSION` },
  });
}

/** A host without its port: clients see the port of the server that they came through in ids. */
export function hostName(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}

/** Ids compare ignoring letter case (REQ-325) and port. Both must be versioned to be the same thing. */
export function isSameVersion(left: string, right: string, collection: ObjectCollection): boolean {
  const [a, b] = [parseObjectId(left, collection), parseObjectId(right, collection)];
  if (a === undefined || b === undefined || a.version === null) return false;
  return (
    hostName(a.host) === hostName(b.host) && a.version === b.version && a.name.toLowerCase() === b.name.toLowerCase()
  );
}
