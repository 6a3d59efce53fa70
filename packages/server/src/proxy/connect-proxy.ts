import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { KannukiError } from '@kannuki/core';
import { type ListenAddress, listenText } from '../config/listen-address.ts';
import { azureHosts, azureVaultSuffix } from '../http/hosts.ts';

export interface ConnectProxyOptions {
  /** Gives a connection to the server's own TLS listener, as if it had come in there. */
  readonly accept: (socket: Socket) => void;
  /** Whether it may listen beyond this machine. */
  readonly beyondLoopback: boolean;
}

const proxyLimits = {
  connections: 1000,
  headerBytes: 4096,
  headersMilliseconds: 5000,
  /** From CONNECT on the TLS listener's own limits count; before it, a connection on which nothing moves is closed. */
  idleMilliseconds: 10_000,
} as const;

const vaultHost = new RegExp(`^[a-z0-9-]{1,63}\\.${azureVaultSuffix.replaceAll('.', '\\.')}$`);

/**
 * An HTTP proxy (RFC 9110, 9.3.6) that leads nowhere but here: with `HTTPS_PROXY` set to it, clients that only know
 * Azure's names reach this server. It knows CONNECT to those names, and never opens a connection to anybody.
 */
export class ConnectProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #beyondLoopback: boolean;

  constructor({ accept, beyondLoopback }: ConnectProxyOptions) {
    this.#beyondLoopback = beyondLoopback;
    this.#server = createServer(
      {
        maxHeaderSize: proxyLimits.headerBytes,
        headersTimeout: proxyLimits.headersMilliseconds,
        requestTimeout: proxyLimits.headersMilliseconds,
        connectionsCheckingInterval: 1000,
        keepAlive: false,
      },
      (_request, response) => {
        response.writeHead(405, { 'content-type': 'text/plain', allow: 'CONNECT', connection: 'close' });
        response.end('this proxy knows CONNECT only\n');
      },
    );
    this.#server.maxConnections = proxyLimits.connections;
    this.#server.setTimeout(proxyLimits.idleMilliseconds);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      if (!isAllowedTarget(request.url ?? '')) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.setTimeout(0);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) socket.unshift(head);
      accept(socket);
    });
  }

  /** @throws KannukiError KNK-SRV-0012, 0025 for an address that others reach */
  async listen(wanted: ListenAddress): Promise<ListenAddress> {
    if (!this.#beyondLoopback && !isLoopback(wanted.host)) {
      const reason = 'proxyListen is an address that others reach; proxyBeyondLoopback = true allows that';
      throw new KannukiError('KNK-SRV-0025', { details: { reason } });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(wanted.port, wanted.host, resolve);
    try {
      await promise;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new KannukiError('KNK-SRV-0012', { details: { address: listenText(wanted), reason }, cause: error });
    }
    return { host: wanted.host, port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }
}

function isAllowedTarget(target: string): boolean {
  const [, host = '', port] = /^([A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(target) ?? [];
  const name = host.toLowerCase();
  return port === '443' && (Object.hasOwn(azureHosts, name) || vaultHost.test(name));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
