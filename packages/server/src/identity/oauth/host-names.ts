/** Names of Azure's that reach this server through its CONNECT proxy. */
export const azureHosts = {
  login: 'login.microsoftonline.com',
  management: 'management.azure.com',
  graph: 'graph.microsoft.com',
} as const;

/** The URLs that answers name, as whoever asks can reach them. All without slash at the end. */
export interface BaseUrls {
  readonly login: string;
  readonly management: string;
  readonly graph: string;
  readonly isAzure: boolean;
  /** `:8443`, or empty. */
  readonly port: string;
}

/**
 * Clients reach the server by several names, so URLs in answers are built from the `Host` header: but only from a name that
 * is the server's own, so that nobody is sent elsewhere by an answer of ours.
 */
export class HostNames {
  readonly #own: ReadonlySet<string>;

  /** @param names of the server, without port */
  constructor(names: readonly string[]) {
    this.#own = new Set(names.map((name) => name.toLowerCase()));
  }

  /** @param host value of the `Host` header. @returns undefined where it is not ours */
  baseUrls(host: string | undefined): BaseUrls | undefined {
    const parsed = parseHost(host);
    if (parsed === undefined) return undefined;
    const { name, shown, port } = parsed;
    if (isAzureHost(name)) {
      return {
        login: `https://${azureHosts.login}`,
        management: `https://${azureHosts.management}`,
        graph: `https://${azureHosts.graph}`,
        isAzure: true,
        port: '',
      };
    }
    if (!this.#own.has(name)) return undefined;
    const url = `https://${shown}${port}`;
    return { login: url, management: url, graph: url, isAzure: false, port };
  }

  /** Whether a URL's host is a name of the server, or one under which the proxy reaches it. */
  isOwnUrl(url: URL): boolean {
    if (url.protocol !== 'https:') return false;
    const name = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    return this.#own.has(name) || isAzureHost(name);
  }
}

function isAzureHost(name: string): boolean {
  return name === azureHosts.login || name === azureHosts.management || name === azureHosts.graph;
}

function parseHost(
  host: string | undefined,
): { readonly name: string; readonly shown: string; readonly port: string } | undefined {
  if (host === undefined || host.length > 260) return undefined;
  const match = /^(?:\[([0-9a-f:]+)\]|([0-9a-z.-]+))(?::(\d{1,5}))?$/i.exec(host);
  const address = match?.[1]?.toLowerCase();
  const name = address ?? match?.[2]?.toLowerCase();
  if (match === null || name === undefined || Number(match[3] ?? 443) > 65_535) return undefined;
  const port = match[3] === undefined || match[3] === '443' ? '' : `:${match[3]}`;
  return { name, shown: address === undefined ? name : `[${address}]`, port };
}
