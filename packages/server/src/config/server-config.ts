import { KannukiError } from '@kannuki/core';
import { defaultDnsSuffix } from '@kannuki/keyvault';
import { parseSupportAdditions, type SupportAdditions } from '@kannuki/support';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { defaultServerNames } from '../identity/server-certificate.ts';
import { parseVaultConfig, type VaultConfig } from './vault-config.ts';

/**
 * The server's part of the configuration file:
 *
 *     [server]
 *     listen = "127.0.0.1:8443"          # may be left out; --listen wins
 *     names = ["kannuki.example"]        # further names for the server's certificate
 *     location = "local"                 # region of VMs and vaults that name none
 *     keyVolumeSeconds = 900             # longest time that a key volume stays attached
 *     joinTokenSeconds = 3600            # life of a join token
 *     tokenSeconds = 3600                # life of the access tokens of its token endpoint
 *     vaultDnsSuffix = "vault.localhost" # what follows a vault's name in its address
 *     proxyListen = "127.0.0.1:8081"     # a CONNECT proxy for Azure's names; left out, there is none, and those names
 *                                        # are not answered for
 *     proxyBeyondLoopback = false        # whether the proxy may listen where others reach it
 *     throttle = false                   # whether a vault refuses what Azure would (REQ-367 to REQ-369)
 */
const ServerSection = Type.Object(
  {
    listen: Type.Optional(Type.String({ maxLength: 300 })),
    names: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:-]{1,253}$' }), { maxItems: 50 })),
    location: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9 -]{1,64}$' })),
    keyVolumeSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 86_400 })),
    joinTokenSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400 })),
    tokenSeconds: Type.Optional(Type.Integer({ minimum: 300, maximum: 86_400 })),
    vaultDnsSuffix: Type.Optional(Type.String({ pattern: '^[a-z0-9](?:[a-z0-9.-]{0,198}[a-z0-9])?$' })),
    proxyListen: Type.Optional(Type.String({ maxLength: 300 })),
    proxyBeyondLoopback: Type.Optional(Type.Boolean()),
    throttle: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

export interface ServerConfig extends VaultConfig {
  readonly listen: string | undefined;
  readonly names: readonly string[];
  readonly location: string;
  readonly keyVolumeSeconds: number;
  readonly joinTokenSeconds: number;
  readonly tokenSeconds: number;
  /** Without port. */
  readonly vaultDnsSuffix: string;
  /** Undefined: no proxy, and no answer for Azure's names. */
  readonly proxyListen: string | undefined;
  readonly proxyBeyondLoopback: boolean;
  readonly throttle: boolean;
  readonly additions: SupportAdditions;
}

/**
 * Reads the configuration that was parsed from its file already; keys of other parts are not looked at.
 * @throws KannukiError KNK-SRV-0025, or KNK-SUP-0001 for a wrong image
 */
export function parseServerConfig(value: Readonly<Record<string, unknown>> = {}): ServerConfig {
  const { server = {} } = value;
  if (!Value.Check(ServerSection, server)) {
    const [problem] = Value.Errors(ServerSection, server);
    const reason = `[server] ${problem?.instancePath ?? ''} ${problem?.message ?? 'is not understood'}`;
    throw new KannukiError('KNK-SRV-0025', { details: { reason } });
  }
  const section: Static<typeof ServerSection> = server;
  const location = section.location ?? 'local';
  const vaultDnsSuffix = section.vaultDnsSuffix ?? defaultDnsSuffix;
  if ([...defaultServerNames(), ...(section.names ?? [])].some((name) => name.toLowerCase() === vaultDnsSuffix)) {
    // The audience of a token is one of the two: a token for one plane would be good for the other.
    const reason = '[server] vaultDnsSuffix is a name of the server itself; vaults need one of their own';
    throw new KannukiError('KNK-SRV-0025', { details: { reason } });
  }
  const additions = parseSupportAdditions(value);
  return {
    ...parseVaultConfig(value),
    listen: section.listen,
    names: section.names ?? [],
    location,
    keyVolumeSeconds: section.keyVolumeSeconds ?? 900,
    joinTokenSeconds: section.joinTokenSeconds ?? 3600,
    tokenSeconds: section.tokenSeconds ?? 3600,
    vaultDnsSuffix,
    proxyListen: section.proxyListen,
    proxyBeyondLoopback: section.proxyBeyondLoopback ?? false,
    throttle: section.throttle ?? false,
    // The operator's own place is a region that exists.
    additions: { ...additions, regions: [...additions.regions, location] },
  };
}
