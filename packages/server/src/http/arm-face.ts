import { KannukiError } from '@kannuki/core';
import type { Caller } from '@kannuki/keyvault/service/access';
import type { FastifyRequest } from 'fastify';
import type { TokenVerifier } from '../identity/tokens/token-verifier.ts';
import type { ArmContext } from '../resources/arm/arm-request.ts';
import type { ArmRoutesOptions } from '../resources/arm/arm-routes.ts';
import { azureVaultSuffix } from './hosts.ts';
import { bearerToken, peerAddress } from './peer.ts';

export interface ArmFaceOptions {
  readonly services: ArmRoutesOptions['services'];
  readonly verifier: TokenVerifier;
  readonly vaultDnsSuffix: string;
  /** `https://HOST:PORT` of the server. */
  readonly serverUrl: () => string;
}

const azureManagement = 'management.azure.com';

/** How the network reaches ARM: by a token for the plane, under the name in the Host header (which was found to be ours). */
export function armByToken(options: ArmFaceOptions): Omit<ArmRoutesOptions, 'onFailure'> {
  const { services, verifier, vaultDnsSuffix, serverUrl } = options;
  const isAzure = (request: FastifyRequest): boolean => request.headers.host?.split(':')[0] === azureManagement;
  return {
    services,
    async contextOf(request): Promise<ArmContext> {
      const token = bearerToken(request.raw);
      const verified = token === undefined ? undefined : await verifier.verify(token, 'management');
      if (verified === undefined) throw new KannukiError('KNK-ARM-0007');
      const { objectId, applicationId, tenantId } = verified;
      const address = peerAddress(request.raw);
      const baseUrl = `https://${request.headers.host}`;
      return {
        caller: { objectId, applicationId, tenantId, address, isLocalAdministrator: false },
        baseUrl,
        vaultSuffix: isAzure(request) ? azureVaultSuffix : `${vaultDnsSuffix}${portOf(baseUrl)}`,
      };
    },
    challenge(request) {
      const login = isAzure(request) ? 'https://login.microsoftonline.com' : serverUrl();
      const error = bearerToken(request.raw) === undefined ? '' : ', error="invalid_token"';
      return `Bearer authorization_uri="${login}/${services.tenantId}"${error}`;
    },
  };
}

/** How the administrator's socket reaches ARM: who may open it may do everything. */
export function armByLocalAdministrator(
  services: ArmRoutesOptions['services'],
  caller: Caller,
  place: { readonly serverUrl: () => string; readonly vaultSuffix: () => string },
): Omit<ArmRoutesOptions, 'onFailure'> {
  return {
    services,
    contextOf: async () => ({ caller, baseUrl: place.serverUrl(), vaultSuffix: place.vaultSuffix() }),
    challenge: () => 'Bearer',
  };
}

/** `:PORT`, or empty for the port that https has by itself. */
export function portOf(url: string): string {
  const port = URL.parse(url)?.port ?? '';
  return port === '' ? '' : `:${port}`;
}
