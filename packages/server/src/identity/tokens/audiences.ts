import type { TokenPlane } from './token-verifier.ts';

export interface AudienceOptions {
  /** Names and addresses of the server, without port. */
  readonly serverNames: readonly string[];
  /** Suffixes of vaults' names, without leading dot and port, e.g. `vault.localhost`. */
  readonly vaultDnsSuffixes: readonly string[];
}

/** The longest audience that we sign. */
export const longestAudience = 300;

/**
 * What a token may be for. Azure's own names, and ours: a client of a custom cloud asks for the server's own URL, for the
 * management plane and for the directory alike. A port is not looked at: the server may be reached through another one.
 */
export class Audiences {
  readonly #hosts: Readonly<Record<TokenPlane, ReadonlySet<string>>>;

  constructor({ serverNames, vaultDnsSuffixes }: AudienceOptions) {
    const own = serverNames.map((name) => name.toLowerCase());
    this.#hosts = {
      vault: new Set(['vault.azure.net', ...vaultDnsSuffixes.map((suffix) => suffix.toLowerCase())]),
      management: new Set(['management.azure.com', 'management.core.windows.net', ...own]),
      graph: new Set(['graph.microsoft.com', ...own]),
    };
  }

  isFor(audience: string, plane: TokenPlane): boolean {
    const host = hostOf(audience);
    return host !== undefined && this.#hosts[plane].has(host);
  }

  /** Whether any of our planes would take it: for nothing else we sign. */
  isKnown(audience: string): boolean {
    const planes: readonly TokenPlane[] = ['vault', 'management', 'graph'];
    return planes.some((plane) => this.isFor(audience, plane));
  }
}

/** `https://HOST[:PORT][/]` and nothing else: no user, path, query, or other spelling of a host. */
function hostOf(audience: string): string | undefined {
  if (audience.length > longestAudience) return undefined;
  const match = /^https:\/\/(?:\[([0-9a-f:]+)\]|([0-9a-z.-]+))(?::\d{1,5})?\/?$/i.exec(audience);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
