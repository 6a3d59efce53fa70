import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, SecretBytes, syncDirectory, writeFileDurably } from '@kannuki/core';
import { decodeJson, encodeJson } from './secret-json.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface CachedToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What `kannuki login` found out and every later command needs. */
export interface Login {
  /** `https://HOST[:PORT]`. */
  readonly server: string;
  /** PEM: what the file said at the time of the login, so that a file changed later changes nothing. */
  readonly ca: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly subscriptionName: string;
  readonly clientId: string;
  /** Of the service principal: access policies and role assignments name it. */
  readonly objectId: string;
  /** Without a dot in front; may have a port. */
  readonly vaultDnsSuffix: string;
  /** PEM file with key and certificate; null where a client secret is used. */
  readonly certificateFile: string | null;
  /** Short-lived tokens by scope. */
  readonly tokens: Readonly<Record<string, CachedToken>>;
}

export interface StoredLogin {
  readonly login: Login;
  /** The caller disposes it. */
  readonly clientSecret: SecretBytes | undefined;
}

const texts = [
  'server',
  'ca',
  'tenantId',
  'subscriptionId',
  'subscriptionName',
  'clientId',
  'objectId',
  'vaultDnsSuffix',
] as const satisfies readonly (keyof Login)[];

const fileName = 'login.json';
const fileLimitBytes = 1024 * 1024;

export function loginFolder(environment: Environment): string {
  const named = environment.KANNUKI_CONFIG_DIR;
  if (named !== undefined && named !== '') return named;
  const base = environment.XDG_CONFIG_HOME;
  if (base !== undefined && base !== '') return join(base, 'kannuki');
  return join(environment.HOME ?? homedir(), '.config', 'kannuki');
}

/**
 * @returns undefined where nobody is logged in
 * @throws KannukiError KNK-AZC-0009 for a file that others can read, that is not ours, or that makes no sense
 */
export async function readLogin(folder: string): Promise<StoredLogin | undefined> {
  const path = join(folder, fileName);
  const refuse = (reason: string, cause?: unknown): KannukiError =>
    new KannukiError('KNK-AZC-0009', { details: { file: path, reason }, cause });
  let content: Buffer;
  try {
    const file = await open(path, 'r');
    try {
      const { mode, uid, size } = await file.stat();
      if ((mode & 0o077) !== 0) throw refuse('others can read it (its mode must be 0600)');
      if (uid !== process.getuid?.()) throw refuse('it belongs to somebody else');
      if (size > fileLimitBytes) throw refuse('it is too long');
      content = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw refuse(code ?? 'it cannot be read', error);
  }
  using bytes = SecretBytes.take(content);
  const decoded = decodeJson(bytes.bytes, 'clientSecret');
  const login = decoded === undefined ? undefined : loginOf(decoded.rest);
  if (decoded === undefined || login === undefined) {
    decoded?.secret?.[Symbol.dispose]();
    throw refuse('it is not what kannuki login writes');
  }
  return { login, clientSecret: decoded.secret };
}

function loginOf(value: Readonly<Record<string, unknown>>): Login | undefined {
  if (texts.some((name) => typeof value[name] !== 'string') || !URL.canParse(String(value.server))) return undefined;
  const { certificateFile = null, tokens } = value;
  if (certificateFile !== null && typeof certificateFile !== 'string') return undefined;
  const found = Object.fromEntries(texts.map((name) => [name, value[name]])) as Pick<Login, (typeof texts)[number]>;
  return { ...found, certificateFile, tokens: tokensOf(tokens) };
}

function tokensOf(value: unknown): Login['tokens'] {
  if (typeof value !== 'object' || value === null) return {};
  const isToken = (one: unknown): one is CachedToken => {
    const { token, expiresAt } = (one ?? {}) as Record<string, unknown>;
    return typeof token === 'string' && typeof expiresAt === 'number';
  };
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, CachedToken] => isToken(entry[1])));
}

/**
 * Writes the login (0600, in a folder of 0700) so that it survives a power cut. Two programs may do so at once: each
 * writes a file of its own, and the last rename wins.
 */
export async function writeLogin(folder: string, { login, clientSecret }: StoredLogin): Promise<void> {
  const path = join(folder, fileName);
  const own = join(folder, `${fileName}.${randomUUID()}`);
  try {
    await makeDirectoryDurably(folder, 0o700);
    using content = encodeJson({ ...login, ...(clientSecret === undefined ? {} : { clientSecret }) });
    await writeFileDurably(own, content.bytes, 0o600);
    await rename(own, path);
    await syncDirectory(folder);
  } catch (error) {
    await rm(own, { force: true }).catch(() => undefined);
    const reason = (error as NodeJS.ErrnoException).code ?? 'it cannot be written';
    throw new KannukiError('KNK-AZC-0009', { details: { file: path, reason }, cause: error });
  }
}

/** Removes the login and what a power cut may have left of writing it. @returns whether somebody was logged in */
export async function removeLogin(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw new KannukiError('KNK-AZC-0009', { details: { file: folder, reason: error.code ?? '' }, cause: error });
  });
  const ours = names.filter((name) => name.replace(/^\./, '').startsWith(fileName));
  for (const name of ours) await rm(join(folder, name), { force: true });
  if (ours.length > 0) await syncDirectory(folder);
  return ours.includes(fileName);
}
