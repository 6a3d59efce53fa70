import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KannukiError, writeFileDurably } from '@kannuki/core';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { readPrivateFile } from '../authority.ts';

/** A public key as the JWKS shows it (RFC 7517). */
export interface PublishedKey {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: 'RS256';
  readonly kid: string;
  readonly n: string;
  readonly e: string;
}

interface SigningKey {
  readonly kid: string;
  /** Milliseconds since 1970: from when it signs, until the next one does. */
  readonly activeAt: number;
  /** PKCS #8, PEM. */
  readonly pem: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly published: PublishedKey;
}

export interface SigningKeysOptions {
  /** The authority's folder: mode 0700. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A key could not be made or stored while there is another that signs. */
  readonly onFailure: (error: unknown) => void;
}

const hour = 3600 * 1000;
const day = 24 * hour;
const signsFor = 30 * day;
/** So long before it signs the next key is in the JWKS: longer than clients keep theirs (24 h). */
const publishedAhead = 7 * day;
const shortestAhead = day;
/** The longest life that a token may have, and some time for clocks: so long an old key is still known. */
const keptFor = day + hour;
const retryMilliseconds = 60_000;
/** No file of ours has more; each is about 1.8 KB and `readPrivateFile` takes 16 KiB. */
const maximumKeys = 6;

const file = 'token-keys.json';
const FileSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        { kid: Type.String(), activeAt: Type.Number(), privateKey: Type.String({ maxLength: 4096 }) },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: maximumKeys },
    ),
  },
  { additionalProperties: false },
);

const generate = promisify(generateKeyPair);

/**
 * The RSA-2048 keys that sign tokens, in one file of mode 0600 beside the authority's key: not in the database, whose copies go
 * further. The file is replaced as a whole, and a key is on disk before anybody sees it; which one signs follows from the
 * time alone, so a crash at any point leaves a state that works.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #path: string;
  #keys: readonly SigningKey[] | undefined;
  #work: Promise<void> | undefined;
  #lookAgainAt = 0;

  constructor(options: SigningKeysOptions) {
    this.#options = options;
    this.#path = join(options.folder, file);
  }

  /** @throws KannukiError KNK-IDT-0004 for a file that is there and cannot be used */
  async signer(): Promise<{ readonly kid: string; readonly privateKey: KeyObject }> {
    return currentOf(await this.#current(), this.#options.now());
  }

  /** What clients may see: keys that have signed lately, the one that signs, and the next. */
  async published(): Promise<readonly PublishedKey[]> {
    return (await this.#current()).map((key) => key.published);
  }

  /** @returns undefined for a key that is not ours, or is no longer */
  async publicKey(kid: string): Promise<KeyObject | undefined> {
    return (await this.#current()).find((key) => key.kid === kid)?.publicKey;
  }

  async #current(): Promise<readonly SigningKey[]> {
    if (this.#keys === undefined || this.#options.now() >= this.#lookAgainAt) {
      this.#work ??= this.#maintain().finally(() => {
        this.#work = undefined;
      });
      // Making a key takes a while; who only needs the one that signs does not wait for the next.
      if (this.#keys === undefined) await this.#work;
      else this.#work.catch(() => undefined);
    }
    const keys = this.#keys ?? [];
    if (keys.length === 0) throw this.#unusable('there is none');
    return keys;
  }

  /** For tests: everything that was begun is done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #maintain(): Promise<void> {
    const now = this.#options.now();
    const isFirst = this.#keys === undefined;
    try {
      const known = this.#keys ?? (await this.#load());
      // Usable at once, whatever happens to the next key.
      if (known.length > 0) this.#keys = known;
      const kept = withoutOld(known, now);
      const wanted = nextActivation(kept, now);
      const keys = wanted === undefined ? kept : [...kept, await newKey(wanted)];
      if (keys.length !== known.length || wanted !== undefined) await this.#store(keys);
      this.#keys = keys;
      this.#lookAgainAt = now + hour;
    } catch (error) {
      if (isFirst && (this.#keys ?? []).length === 0) throw error;
      this.#lookAgainAt = now + retryMilliseconds;
      this.#options.onFailure(error);
    }
  }

  async #load(): Promise<readonly SigningKey[]> {
    let text: string | undefined;
    try {
      text = await readPrivateFile(this.#path);
    } catch (error) {
      const reason = error instanceof KannukiError ? String(error.details.reason) : 'it cannot be read';
      throw this.#unusable(reason);
    }
    // Lost keys cost new tokens and nothing else.
    if (text === undefined) return [];
    const content = parse(text);
    if (content === undefined) throw this.#unusable('it is damaged');
    try {
      return await Promise.all(content.keys.map(({ privateKey, activeAt }) => keyFrom(privateKey, activeAt)));
    } catch {
      throw this.#unusable('a key in it cannot be read');
    }
  }

  async #store(keys: readonly SigningKey[]): Promise<void> {
    const content: Static<typeof FileSchema> = {
      keys: keys.map(({ kid, activeAt, pem }) => ({ kid, activeAt, privateKey: pem })),
    };
    await writeFileDurably(this.#path, `${JSON.stringify(content, null, 2)}\n`, 0o600);
  }

  #unusable(reason: string): KannukiError {
    return new KannukiError('KNK-IDT-0004', { details: { file: this.#path, reason } });
  }
}

/** The newest key whose time has come; where a clock went back so far that there is none, the oldest. */
function currentOf(keys: readonly SigningKey[], now: number): SigningKey {
  const [first, ...others] = keys;
  if (first === undefined) throw new Error('no key');
  return others.reduce((best, key) => {
    const isDue = key.activeAt <= now;
    const bestIsDue = best.activeAt <= now;
    if (isDue !== bestIsDue) return isDue ? key : best;
    return isDue === key.activeAt > best.activeAt ? key : best;
  }, first);
}

/** @returns from when a key that has to be made now is to sign; undefined where none has to be */
function nextActivation(keys: readonly SigningKey[], now: number): number | undefined {
  if (keys.length === 0) return now;
  if (keys.length >= maximumKeys || keys.some((key) => key.activeAt > now)) return undefined;
  const ends = currentOf(keys, now).activeAt + signsFor;
  return now >= ends - publishedAhead ? Math.max(ends, now + shortestAhead) : undefined;
}

/** A key goes when the last token that it can have signed is over: some time after the next one began to sign. */
function withoutOld(keys: readonly SigningKey[], now: number): readonly SigningKey[] {
  const sorted = keys.toSorted((left, right) => left.activeAt - right.activeAt);
  return sorted.filter((_, index) => {
    const successor = sorted[index + 1];
    return successor === undefined || now < successor.activeAt + keptFor;
  });
}

async function newKey(activeAt: number): Promise<SigningKey> {
  const { privateKey } = await generate('rsa', {
    modulusLength: 2048,
    publicExponent: 65537,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return keyFrom(privateKey, activeAt);
}

async function keyFrom(pem: string, activeAt: number): Promise<SigningKey> {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const jwk: JWK = await exportJWK(publicKey);
  if (jwk.kty !== 'RSA' || jwk.n === undefined || jwk.e === undefined) throw new Error('not an RSA key');
  const kid = await calculateJwkThumbprint(jwk);
  return {
    kid,
    activeAt,
    pem,
    privateKey,
    publicKey,
    published: { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n: jwk.n, e: jwk.e },
  };
}

function parse(text: string): Static<typeof FileSchema> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(FileSchema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
