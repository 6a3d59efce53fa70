import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/**
 * The least that can speak HTTP/1.1 over one TLS connection: a client that costs a fraction of the server, so that both
 * fit on the two processors of a test machine and the server is what is measured. Bodies only with a Content-Length.
 */
export class LoadConnection {
  readonly #socket: TLSSocket;
  #waiting: ((answer: LoadAnswer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #received: Buffer[] = [];
  #size = 0;
  #wanted = -1;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('close', () => this.#failed?.(new Error('the connection was closed')));
    socket.on('error', (error) => this.#failed?.(error));
  }

  static open(options: ConnectionOptions): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      // The authority of the test's own server is checked; to take its certificate apart for the name costs more than that.
      const socket = connect({ ...options, minVersion: 'TLSv1.3', checkServerIdentity: () => undefined });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(new LoadConnection(socket));
      });
    });
  }

  /** One request at a time. @param head request line and headers without Content-Length and the empty line */
  send(head: string, body = ''): Promise<LoadAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#failed = reject;
      this.#socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#received.push(piece);
    this.#size += piece.length;
    if (this.#wanted === -1) {
      const all = this.#received.length === 1 ? piece : Buffer.concat(this.#received);
      const end = all.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = /content-length: (\d+)/i.exec(all.toString('latin1', 0, end))?.[1];
      this.#wanted = end + 4 + Number(length ?? 0);
    }
    if (this.#size < this.#wanted) return;
    const all = Buffer.concat(this.#received);
    this.#received = [];
    this.#size = 0;
    this.#wanted = -1;
    this.#waiting?.({
      status: Number(all.toString('latin1', 9, 12)),
      body: all.toString('utf8', all.indexOf('\r\n\r\n') + 4),
    });
  }
}

export interface LoadAnswer {
  readonly status: number;
  readonly body: string;
}
