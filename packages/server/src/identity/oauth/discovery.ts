import { issuerOf } from '../tokens/token-issuer.ts';
import { azureHosts, type BaseUrls } from './host-names.ts';

/** Which door a document belongs to: Entra's version 1 or 2, or AD FS, which az needs for an authority that it does not know. */
export type Authority = 'v1' | 'v2' | 'adfs';

/** OpenID Connect Discovery 1.0, as Entra answers it. Only client credentials are served; the rest is what clients insist on. */
export function openIdConfiguration(authority: Authority, tenantId: string, { login }: BaseUrls): object {
  const tenant = `${login}/${tenantId}`;
  const urls = {
    v1: {
      issuer: issuerOf(tenantId),
      token_endpoint: `${tenant}/oauth2/token`,
      authorization_endpoint: `${tenant}/oauth2/authorize`,
      jwks_uri: `${login}/common/discovery/keys`,
    },
    v2: {
      issuer: `${tenant}/v2.0`,
      token_endpoint: `${tenant}/oauth2/v2.0/token`,
      authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
      jwks_uri: `${tenant}/discovery/v2.0/keys`,
    },
    adfs: {
      issuer: `${login}/adfs`,
      token_endpoint: `${login}/adfs/oauth2/token/`,
      authorization_endpoint: `${login}/adfs/oauth2/authorize/`,
      jwks_uri: `${login}/common/discovery/keys`,
    },
  }[authority];
  return {
    ...urls,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256'],
    grant_types_supported: ['client_credentials'],
    response_types_supported: ['none'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'appid', 'oid', 'tid', 'ver', 'uti'],
    tenant_region_scope: null,
  };
}

/** Paths, without slash at the end, that an assertion may name as its `aud`: token endpoints and issuers. */
export function assertionAudiencePaths(tenantId: string): ReadonlySet<string> {
  return new Set([
    `/${tenantId}/oauth2/v2.0/token`,
    `/${tenantId}/oauth2/token`,
    `/${tenantId}/v2.0`,
    '/adfs/oauth2/token',
    '/adfs',
  ]);
}

/** Where the OpenID configuration of an authority is; `metadata` tells which names mean the same cloud. */
export function instanceDiscovery(base: string, tenant: string): object {
  const host = new URL(base).host;
  return {
    tenant_discovery_endpoint: `${base}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

export interface MetadataOptions {
  readonly urls: BaseUrls;
  readonly tenantId: string;
  /** Without leading dot and port. */
  readonly vaultDnsSuffix: string;
}

/** `GET /metadata/endpoints?api-version=2015-01-01`: for `az cloud register`. */
export function metadataObject({ urls }: MetadataOptions): object {
  const { loginEndpoint, audiences, graph, portal } = namesOf(urls);
  return {
    galleryEndpoint: portal,
    graphEndpoint: graph,
    portalEndpoint: portal,
    authentication: { loginEndpoint, audiences },
  };
}

/** `GET /metadata/endpoints?api-version=2019-05-01` and later: for `ARM_CLOUD_METADATA_URL`. */
export function metadataArray({ urls, tenantId, vaultDnsSuffix }: MetadataOptions): object {
  const { loginEndpoint, audiences, graph, portal } = namesOf(urls);
  return [
    {
      name: urls.isAzure ? 'AzureCloud' : 'Kannuki',
      portal,
      authentication: {
        loginEndpoint,
        audiences,
        tenant: tenantId,
        identityProvider: urls.isAzure ? 'AAD' : 'ADFS',
      },
      resourceManager: `${urls.management}/`,
      graphAudience: graph,
      graph,
      microsoftGraphResourceId: graph,
      gallery: portal,
      suffixes: { keyVaultDns: urls.isAzure ? 'vault.azure.net' : `${vaultDnsSuffix}${urls.port}` },
    },
  ];
}

function namesOf(urls: BaseUrls): {
  readonly loginEndpoint: string;
  readonly audiences: readonly string[];
  readonly graph: string;
  readonly portal: string;
} {
  const { login, management, graph, isAzure } = urls;
  return {
    loginEndpoint: isAzure ? `${login}/` : `${login}/adfs`,
    audiences: isAzure
      ? ['https://management.core.windows.net/', `https://${azureHosts.management}/`]
      : [`${management}/`],
    graph: `${graph}/`,
    portal: `${management}/`,
  };
}
