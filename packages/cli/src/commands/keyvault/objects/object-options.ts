import { KannukiError } from '@kannuki/core';
import { InvalidArgumentError } from 'commander';
import { pathOf } from '../../../azure-client/connection.ts';
import { dataOption } from '../../../azure-client/data-option.ts';
import { list, type Option, text } from '../../../program/options.ts';

export type Collection = 'keys' | 'secrets';

/** For commands on the whole of a vault. */
export const inVaultOptions = {
  vaultName: text('KV', { en: 'name of the key vault', ja: 'キー コンテナーの名前' }, { required: true }),
  data: dataOption,
};

/** For commands on one object: by vault and name, or by its id. */
export const objectOptions = {
  vaultName: text('KV', { en: 'name of the key vault', ja: 'キー コンテナーの名前' }),
  name: text('NAME', { en: 'name of the object', ja: 'オブジェクトの名前' }, { short: 'n' }),
  id: text('URL', {
    en: 'id of the object, in place of --vault-name and --name',
    ja: 'オブジェクトの ID (--vault-name と --name の代わり)',
  }),
  data: dataOption,
};

export const versionedOptions = {
  ...objectOptions,
  version: text('VERSION', { en: 'default the newest', ja: '既定は最新' }, { short: 'v' }),
};

export interface ObjectName {
  readonly vault: string;
  readonly name: string;
  /** Undefined: the newest. */
  readonly version: string | undefined;
}

interface Named {
  readonly vaultName: string | undefined;
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly version?: string | undefined;
}

/** REQ-321: what a name of a key or a secret may be. */
const namePattern = /^[A-Za-z0-9-]{1,127}$/;
const versionPattern = /^[A-Za-z0-9]{1,64}$/;

/** @throws KannukiError KNK-CLI-0003 or 0004 where the options do not name one object */
export function objectName(options: Named, collection: Collection): ObjectName {
  const found = options.id === undefined ? byName(options) : byId(options.id, collection);
  const { name, version } = found;
  if (!namePattern.test(name)) throw wrong('--name', name, '1 to 127 letters, digits and hyphens');
  if (version !== undefined && !versionPattern.test(version)) throw wrong('--version', version, 'a version');
  return found;
}

function byName({ vaultName, name, version }: Named): ObjectName {
  if (vaultName === undefined) throw missing('--vault-name <KV>');
  if (name === undefined) throw missing('--name <NAME>');
  return { vault: vaultName, name, version };
}

/** Only names are taken from an id; where it leads is what the login says. */
function byId(id: string, collection: Collection): ObjectName {
  const url = URL.canParse(id) ? new URL(id) : undefined;
  const [, kind, name, version] = url?.pathname.split('/') ?? [];
  const known = kind === collection || kind === `deleted${collection}`;
  if (url?.protocol !== 'https:' || !known || name === undefined)
    throw wrong('--id', id, `https://VAULT/${collection}/NAME`);
  return { vault: url.hostname.split('.')[0] ?? '', name, version: version === '' ? undefined : version };
}

function missing(word: string): KannukiError {
  return new KannukiError('KNK-CLI-0003', { details: { word, command: 'kannuki keyvault' } });
}

function wrong(word: string, value: string, expected: string): KannukiError {
  return new KannukiError('KNK-CLI-0004', {
    details: { word, value: value.slice(0, 200), expected, command: 'kannuki keyvault' },
  });
}

/** `/keys/kek1/VERSION`; the newest is asked for with a slash at the end, as Azure's clients do. */
export function objectPath(collection: Collection, { name, version }: ObjectName): string {
  return pathOf(collection, name, version ?? '');
}

/** When something begins or ends to be valid: in whole seconds since 1970. */
export function timeOption(help: { readonly en: string; readonly ja: string }): Option<number | undefined> {
  return {
    ...text('UTC', help),
    parse: (word: string): number => {
      const iso = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(word);
      const zoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(word) || word.length === 10 ? word : `${word}Z`;
      const milliseconds = iso ? Date.parse(zoned) : Number.NaN;
      if (Number.isNaN(milliseconds)) throw new InvalidArgumentError('a time in UTC such as 2030-01-31T12:00:00Z');
      return Math.floor(milliseconds / 1000);
    },
  } as Option<number | undefined>;
}

export const validityOptions = {
  expires: timeOption({ en: 'not to be used from then on', ja: 'この日時以降は使用できない' }),
  notBefore: timeOption({ en: 'not to be used before then', ja: 'この日時より前は使用できない' }),
};

export const tagsOption = list('NAME=VALUE', { en: 'tags', ja: 'タグ' });

/** `attributes` on the wire; what was not given is not in it. */
export function attributesOf(options: {
  readonly enabled?: boolean | undefined;
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
}): Record<string, unknown> {
  const { enabled, expires: exp, notBefore: nbf } = options;
  return Object.fromEntries(Object.entries({ enabled, exp, nbf }).filter(([, value]) => value !== undefined));
}
