import { EventEmitter, once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../src/mysql/endpoint.ts';

export type Direction = 'to-server' | 'to-client';

/** Some bytes on their way, and how many went the same way on this connection before them. */
export interface Piece {
  readonly direction: Direction;
  readonly bytes: Buffer;
  readonly before: number;
  readonly link: Link;
}

/**
 * `pass` it on; `swallow` it (half-open: neither side hears of it); `stall`: this and everything after it
 * on this connection in this direction waits until `release`; `reset`: both sides get an RST.
 */
export type Fate = 'pass' | 'swallow' | 'stall' | 'reset';
export type Fault = (piece: Piece) => Fate | Promise<Fate>;

/** One connection through the proxy. */
export interface Link {
  readonly number: number;
  /** Whatever a fault wants to remember. */
  readonly notes: Set<string>;
}

const pass: Fault = () => 'pass';

/**
 * Real sockets between a client and a MySQL server. Certificates stay valid, because the host stays
 * `localhost`; inside TLS a fault sees how many bytes go by, not what they say.
 */
export class FaultProxy {
  /** Consulted for each piece; may be changed at any time. */
  fault: Fault = pass;
  /** How often each fate but `pass` was met. */
  readonly met = { swallow: 0, stall: 0, reset: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #late = { 'to-server': 0, 'to-client': 0 };
  readonly #stalled = new EventEmitter().setMaxListeners(0);
  #links = 0;

  private constructor(upstream: number) {
    this.#server = createServer((client) => this.#serve(client, upstream));
  }

  /** In front of the server on that port of this machine. */
  static async open(upstream: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, 'localhost', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  endpoint(of: Endpoint): Endpoint {
    return { ...of, port: this.port };
  }

  /** Everything arrives so many ms later from now on. */
  delay(ms: number, ...directions: readonly Direction[]): void {
    for (const direction of directions) this.#late[direction] = ms;
  }

  /** No fault any more; what stalled goes on. */
  release(): void {
    this.fault = pass;
    this.delay(0, 'to-server', 'to-client');
    this.#stalled.emit('release');
  }

  /** Waits until `count` pieces have met that fate. */
  async untilMet(fate: keyof FaultProxy['met'], count = 1, withinMs = 30_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (this.met[fate] < count) {
      if (Date.now() > deadline) throw new Error(`nothing met its ${fate} within ${withinMs} ms`);
      await sleep(5);
    }
  }

  async close(): Promise<void> {
    this.release();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, upstream: number): void {
    const server = connect({ host: 'localhost', port: upstream, noDelay: true });
    client.setNoDelay(true);
    const link: Link = { number: ++this.#links, notes: new Set() };
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', (broken) => {
        this.#sockets.delete(socket);
        // A proper end goes on behind what is still on its way.
        if (broken) other.destroy();
      });
    }
    void this.#carry(client, server, 'to-server', link);
    void this.#carry(server, client, 'to-client', link);
  }

  async #carry(from: Socket, to: Socket, direction: Direction, link: Link): Promise<void> {
    let before = 0;
    let last = Promise.resolve();
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        const fate = await this.fault({ direction, bytes, before, link });
        before += bytes.length;
        if (fate !== 'pass') this.met[fate] += 1;
        if (fate === 'swallow') continue;
        if (fate === 'stall') await once(this.#stalled, 'release');
        if (fate === 'reset') {
          from.resetAndDestroy();
          to.resetAndDestroy();
          return;
        }
        const late = this.#late[direction];
        if (late === 0) {
          await last;
          if (!to.write(bytes)) await drained(to);
        } else {
          // Far away, not slow: as many pieces as there are travel at once.
          const due = sleep(late);
          last = Promise.all([last, due]).then(() => void to.write(bytes));
        }
      }
      await last;
      to.end();
    } catch {
      to.destroy();
    }
  }
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const event of ['drain', 'close'] as const) socket.once(event, () => resolve());
  });
}

/** RST on each connection that has carried so many bytes that way, `times` times. */
export function resetAfter(bytes: number, direction: Direction, times: number): Fault {
  let left = times;
  return (piece) => {
    if (piece.direction !== direction || piece.before + piece.bytes.length < bytes) return 'pass';
    return left-- > 0 ? 'reset' : 'pass';
  };
}

/** Connections that have carried so many bytes that way stall, until `release`. */
export function stallAfter(bytes: number, direction: Direction): Fault {
  return (piece) =>
    piece.direction === direction && piece.before + piece.bytes.length >= bytes ? 'stall' : 'pass';
}

/** Half-open: connections that have carried so many bytes that way go deaf, and nobody is told. */
export function deafenAfter(bytes: number, direction: Direction): Fault {
  return (piece) => {
    if (piece.direction === direction && piece.before + piece.bytes.length >= bytes)
      piece.link.notes.add('deaf');
    return piece.link.notes.has('deaf') ? 'swallow' : 'pass';
  };
}

/**
 * The server executes COMMIT and answers, and the client gets an RST in place of the answer. For sessions
 * without TLS. `which(n)` says whether the nth COMMIT (from 1) is met.
 */
export function loseCommitReply(which: (n: number) => boolean): Fault {
  let commits = 0;
  return ({ direction, bytes, link }) => {
    if (direction === 'to-server') {
      const isCommit = bytes.length < 32 && bytes.toString('latin1').endsWith('COMMIT');
      if (isCommit && which(++commits)) link.notes.add('commit');
      return 'pass';
    }
    return link.notes.has('commit') ? 'reset' : 'pass';
  };
}
