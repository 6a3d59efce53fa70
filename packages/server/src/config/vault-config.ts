import { KannukiError } from '@kannuki/core';
import Type, { type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';

/**
 * How the root key of the vaults is kept, and the token for keys in hardware:
 *
 *     [vault]
 *     rootKey = "file"                   # or "credential", "passphrase", "pkcs11": of a new data folder; an existing
 *                                        # root key says itself what it is, and `kannuki server rekey` changes that
 *     passphraseFile = "/run/…"          # mode 0600; without it (and without the credential kannuki-passphrase)
 *                                        # the server starts sealed
 *
 *     [pkcs11]
 *     module = "/usr/lib/softhsm/libsofthsm2.so"
 *     tokenLabel = "kannuki"
 *     pinFile = "/etc/kannuki/pin"       # mode 0600; else the credential kannuki-pkcs11-pin, else `server unseal` asks
 */
const VaultSection = Type.Object(
  {
    rootKey: Type.Optional(
      Type.Union([
        Type.Literal('file'),
        Type.Literal('credential'),
        Type.Literal('passphrase'),
        Type.Literal('pkcs11'),
      ]),
    ),
    passphraseFile: Type.Optional(Type.String({ pattern: '^/', maxLength: 4000 })),
  },
  { additionalProperties: false },
);

const Pkcs11Section = Type.Object(
  {
    module: Type.String({ pattern: '^/', maxLength: 4000 }),
    tokenLabel: Type.String({ minLength: 1, maxLength: 32 }),
    pinFile: Type.Optional(Type.String({ pattern: '^/', maxLength: 4000 })),
  },
  { additionalProperties: false },
);

export interface RootKeyConfig {
  readonly rootKey: 'file' | 'credential' | 'passphrase' | 'pkcs11';
  readonly passphraseFile: string | undefined;
}

export interface Pkcs11Config {
  /** Path of the shared library: from here only, never from a file that others could write. */
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string | undefined;
}

export interface VaultConfig {
  readonly vault: RootKeyConfig;
  readonly pkcs11: Pkcs11Config | undefined;
}

/** @throws KannukiError KNK-SRV-0025 */
export function parseVaultConfig({ vault = {}, pkcs11 }: Readonly<Record<string, unknown>>): VaultConfig {
  const section = checked('vault', VaultSection, vault);
  const token = pkcs11 === undefined ? undefined : checked('pkcs11', Pkcs11Section, pkcs11);
  const rootKey = section.rootKey ?? 'file';
  if (rootKey === 'pkcs11' && token === undefined) {
    const reason = '[vault] rootKey = "pkcs11" needs a section [pkcs11]';
    throw new KannukiError('KNK-SRV-0025', { details: { reason } });
  }
  return {
    vault: { rootKey, passphraseFile: section.passphraseFile },
    pkcs11: token === undefined ? undefined : { ...token, pinFile: token.pinFile },
  };
}

function checked<Schema extends TSchema>(name: string, schema: Schema, value: unknown): Static<Schema> {
  if (Value.Check(schema, value)) return value;
  const [problem] = Value.Errors(schema, value);
  const reason = `[${name}] ${problem?.instancePath ?? ''} ${problem?.message ?? 'is not understood'}`;
  throw new KannukiError('KNK-SRV-0025', { details: { reason } });
}
