/** What a Host header asks for. */
export type HostKind =
  | { readonly kind: 'vault'; readonly vault: string; readonly suffix: string; readonly isAzure: boolean }
  /** The server's own names: everything but vaults. */
  | { readonly kind: 'server' }
  /** Names of Azure, through the proxy: each has only what Azure has there. */
  | { readonly kind: 'management' | 'login' | 'graph' };

export interface HostsOptions {
  /** Names and addresses of the server itself. */
  readonly names: readonly string[];
  /** What follows a vault's name, without port. */
  readonly vaultSuffix: string;
  /** Azure's names are answered for only where the owner has turned the proxy on. */
  readonly azureNames: boolean;
}

export const azureVaultSuffix = 'vault.azure.net';
/** What the certificate for Azure's names and the proxy allow. */
export const azureHosts: Readonly<Record<string, 'management' | 'login' | 'graph'>> = {
  'login.microsoftonline.com': 'login',
  'management.azure.com': 'management',
  'graph.microsoft.com': 'graph',
};

const hostShape = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(:\d{1,5})?$/;
const vaultLabel = /^[a-z0-9-]{1,63}$/;

/**
 * Sorts requests by their Host header. A name that is not ours is refused: neither a page that has rebound its name to
 * this address nor a proxy that mixes hosts up gets an answer.
 */
export class Hosts {
  readonly #names: ReadonlySet<string>;
  readonly #vaultSuffix: string;
  readonly #azureNames: boolean;

  constructor({ names, vaultSuffix, azureNames }: HostsOptions) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
    this.#vaultSuffix = vaultSuffix.toLowerCase();
    this.#azureNames = azureNames;
  }

  /** @returns undefined for what this server does not answer for */
  kindOf(header: string | undefined): HostKind | undefined {
    const [, bracketed = '', port = ''] = hostShape.exec(header?.toLowerCase() ?? '') ?? [];
    const host = bracketed.startsWith('[') ? bracketed.slice(1, -1) : bracketed;
    if (host === '') return undefined;
    const dot = host.indexOf('.');
    const [label, rest] = [host.slice(0, dot), host.slice(dot + 1)];
    if (dot > 0 && vaultLabel.test(label)) {
      if (rest === this.#vaultSuffix) return { kind: 'vault', vault: label, suffix: rest + port, isAzure: false };
      if (this.#azureNames && rest === azureVaultSuffix) {
        return { kind: 'vault', vault: label, suffix: rest, isAzure: true };
      }
    }
    if (this.#names.has(host)) return { kind: 'server' };
    const azure = this.#azureNames && Object.hasOwn(azureHosts, host) ? azureHosts[host] : undefined;
    return azure === undefined ? undefined : { kind: azure };
  }
}

const ofLogin = /^\/(?:subscriptions|tenants|providers|agent|v1\.0)(?:\/|$)/i;
const ofManagement = /^\/(?:subscriptions|tenants|providers|metadata)(?:\/|$)/i;
const ofGraph = /^\/v1\.0(?:\/|$)/i;

/** Whether a path is one that Azure has at that host; read as the router reads it, so that no escape leads past this. */
export function isPathOf(kind: 'server' | 'management' | 'login' | 'graph', url: string): boolean {
  if (kind === 'server') return true;
  const path = decoded(url.split('?', 1)[0] ?? '');
  if (path === undefined) return false;
  if (kind === 'management') return ofManagement.test(path);
  return kind === 'graph' ? ofGraph.test(path) : !ofLogin.test(path);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
