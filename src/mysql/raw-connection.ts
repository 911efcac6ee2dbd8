import type { Buffer as NodeBuffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Connection as Driver } from 'mysql2';
import { createConnection } from 'mysql2';
import { SkyferryFailure } from '../failures.ts';
import { driverOptions } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { describeEndpoint } from './endpoint.ts';
import { toFailure } from './errors.ts';
import type { Completion } from './packets.ts';
import {
  lengthEncoded,
  MAX_PAYLOAD,
  PacketReader,
  parseEof,
  parseErr,
  parseOk,
  parseTextRow,
  SERVER_MORE_RESULTS,
} from './packets.ts';

export interface RawOptions {
  /** Aborting destroys the socket; what runs rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Statements run before the connection is handed out. */
  readonly session?: readonly string[];
  /** A running command without a byte in either direction for so long is a lost connection; 0: never. */
  readonly stallTimeoutMs?: number;
}

/**
 * One row of the text protocol: length-encoded fields in `buffer[start, end)`, 0xFB for NULL. The bytes
 * are valid during the call only. False pauses the stream until `resume` is called; the row itself counts
 * as taken. A throw destroys the connection and rejects the select with what was thrown.
 */
export type OnRow = (buffer: NodeBuffer, start: number, end: number) => boolean;

export interface Selected {
  readonly rows: number;
  readonly warnings: number;
}

/** The write side of a running LOAD DATA LOCAL INFILE. */
export interface InfileWriter {
  /**
   * Sends `packet[4, 4 + length)` as one packet; the first four bytes are overwritten with its header.
   * `packet` belongs to the connection until `released` is called, when the socket has taken it: that is
   * the backpressure. 1 <= length < 16 MB - 1. After a failure the bytes are dropped and released.
   */
  write(packet: NodeBuffer, length: number, released: () => void): void;
  /** Says that the data is whole; the statement then completes. Not calling it and destroying the connection rolls back. */
  end(): void;
  /** Settles with the statement, also when it fails before `end`. */
  readonly completed: Promise<Completion>;
}

/**
 * A session whose results are handled as bytes: mysql2 connects and logs in, then its socket is taken
 * over. One command at a time. Session state (transactions, locks) is the caller's.
 */
export interface RawConnection {
  readonly threadId: number;
  readonly usable: boolean;
  /** A statement that returns no rows. */
  run(sql: string): Promise<Completion>;
  /** A small result, as buffers. */
  rows(sql: string): Promise<(NodeBuffer | null)[][]>;
  /** A result of any size, row by row. A row is given whole, so memory is bounded by the largest row. */
  selectRows(sql: string, onRow: OnRow): Promise<Selected>;
  /** Goes on after an `onRow` that returned false. */
  resume(): void;
  /** Resolves when the server asks for the data. The file name in the statement means nothing. */
  loadLocalInfile(sql: string): Promise<InfileWriter>;
  /** Says goodbye. Never throws. */
  close(): Promise<void>;
  destroy(): void;
}

const KEEPALIVE_MS = 15_000;

export async function openRawConnection(
  endpoint: Endpoint,
  options: RawOptions = {},
): Promise<RawConnection> {
  options.signal?.throwIfAborted();
  const driver = createConnection({
    ...driverOptions(endpoint),
    // The negotiated capabilities are the format of all that follows: EOF packets stay (no DEPRECATE_EOF),
    // bytes stay as they are (no COMPRESS), affected rows are matched rows (FOUND_ROWS, as mysql2 does).
    flags: ['FOUND_ROWS', '-COMPRESS', '-DEPRECATE_EOF', '-MULTI_STATEMENTS', 'LOCAL_FILES'],
    stream: () => {
      const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
      return socket.setKeepAlive(true, KEEPALIVE_MS);
    },
  }) as Driver & DriverInside;
  const abort = () => driver.destroy();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      driver.once('connect', () => resolve());
      driver.once('error', reject);
    });
    options.signal?.throwIfAborted();
  } catch (error) {
    driver.destroy();
    options.signal?.throwIfAborted();
    throw toFailure(error, endpoint);
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  // The driver goes on listening to the socket; what it reports is reported by this connection too.
  driver.on('error', () => {});
  const connection = new SocketConnection(driver, endpoint, options);
  try {
    for (const statement of options.session ?? []) await connection.run(statement);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

/** What mysql2 does not type: the socket after TLS, and what was negotiated. */
interface DriverInside {
  readonly stream: Socket;
  readonly serverCapabilityFlags: number;
  readonly config: { readonly clientFlags: number };
}

const CLIENT_QUERY_ATTRIBUTES = 1 << 27;
const COM_QUERY = 3;
const COM_QUIT = Buffer.from([1, 0, 0, 0, 1]);

type Command = RunCommand | SelectCommand | LoadCommand;

interface RunCommand {
  readonly kind: 'run';
  resolve(completion: Completion): void;
  reject(error: unknown): void;
}

interface SelectCommand {
  readonly kind: 'select';
  readonly onRow: OnRow;
  state: 'header' | 'columns' | 'columns-end' | 'rows';
  columns: number;
  rows: number;
  resolve(selected: Selected): void;
  reject(error: unknown): void;
}

interface LoadCommand {
  readonly kind: 'load';
  state: 'asking' | 'sending' | 'ended';
  asked: () => void;
  resolve(completion: Completion): void;
  reject(error: unknown): void;
}

class SocketConnection implements RawConnection {
  readonly threadId: number;
  readonly #endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  readonly #attributes: boolean;
  readonly #reader = new PacketReader();
  readonly #stallTimeoutMs: number;
  readonly #onAbort = () => this.#fail(this.#signal?.reason);
  #command: Command | null = null;
  #paused = false;
  #reading = false;
  #sequence = 0;
  #lost: unknown = null;
  #stall: NodeJS.Timeout | null = null;

  constructor(driver: Driver & DriverInside, endpoint: Endpoint, options: RawOptions) {
    this.threadId = driver.threadId ?? 0;
    this.#endpoint = endpoint;
    this.#signal = options.signal;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? 0;
    const negotiated = driver.config.clientFlags & driver.serverCapabilityFlags;
    this.#attributes = (negotiated & CLIENT_QUERY_ATTRIBUTES) !== 0;
    this.#socket = driver.stream;
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', (piece) => this.#onData(piece));
    this.#socket.on('error', (error) => this.#fail(toFailure(error, endpoint)));
    this.#socket.on('end', () => this.#fail(this.#connectionLost('closed by the server')));
    this.#socket.on('close', () => this.#fail(this.#connectionLost('closed')));
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted === true) this.#onAbort();
  }

  get usable(): boolean {
    return this.#lost === null;
  }

  run(sql: string): Promise<Completion> {
    return new Promise((resolve, reject) => {
      this.#start({ kind: 'run', resolve, reject }, sql);
    });
  }

  async rows(sql: string): Promise<(NodeBuffer | null)[][]> {
    const rows: (NodeBuffer | null)[][] = [];
    await this.selectRows(sql, (buffer, start, end) => {
      rows.push(parseTextRow(buffer, start, end));
      return true;
    });
    return rows;
  }

  selectRows(sql: string, onRow: OnRow): Promise<Selected> {
    return new Promise((resolve, reject) => {
      this.#start(
        { kind: 'select', resolve, reject, onRow, state: 'header', columns: 0, rows: 0 },
        sql,
      );
    });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#touch();
    // Called from inside onRow: the loop that called it goes on by itself.
    if (this.#reading) return;
    this.#read();
    if (!this.#paused) this.#socket.resume();
  }

  loadLocalInfile(sql: string): Promise<InfileWriter> {
    return new Promise((asked, refused) => {
      const completed = new Promise<Completion>((resolve, reject) => {
        const command: LoadCommand = {
          kind: 'load',
          state: 'asking',
          resolve,
          reject,
          asked: () => {},
        };
        command.asked = () =>
          asked({
            write: (packet, length, released) =>
              this.#writeInfile(command, packet, length, released),
            end: () => this.#endInfile(command),
            completed,
          });
        this.#start(command, sql);
      });
      // Also keeps a failure that comes while nobody awaits `completed` from ending the process.
      completed.catch(refused);
    });
  }

  async close(): Promise<void> {
    if (this.#command !== null) this.destroy();
    if (this.#lost !== null) return;
    const closed = new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      setTimeout(resolve, 1_000).unref();
    });
    this.#socket.write(COM_QUIT);
    this.#lost = this.#connectionLost('closed here');
    this.#release();
    this.#socket.end();
    this.#socket.resume();
    await closed;
    this.#socket.destroy();
  }

  destroy(): void {
    this.#fail(this.#connectionLost('closed here'));
  }

  #start(command: Command, sql: string): void {
    if (this.#lost !== null) {
      command.reject(this.#lost);
      return;
    }
    if (this.#command !== null) {
      command.reject(new SkyferryFailure('INTERNAL', 'a command is running on this connection'));
      return;
    }
    const prefix = this.#attributes ? [COM_QUERY, 0, 1] : [COM_QUERY];
    const payload = Buffer.concat([Buffer.from(prefix), Buffer.from(sql)]);
    this.#command = command;
    this.#watch();
    for (let at = 0, sequence = 0; ; at += MAX_PAYLOAD, sequence++) {
      const part = payload.subarray(at, at + MAX_PAYLOAD);
      const header = Buffer.alloc(4);
      writeHeader(header, part.length, sequence);
      this.#socket.write(Buffer.concat([header, part]));
      if (part.length < MAX_PAYLOAD) break;
    }
  }

  #writeInfile(
    command: LoadCommand,
    packet: NodeBuffer,
    length: number,
    released: () => void,
  ): void {
    if (this.#command !== command || command.state !== 'sending') {
      process.nextTick(released);
      return;
    }
    writeHeader(packet, length, this.#sequence++);
    this.#touch();
    this.#socket.write(packet.subarray(0, 4 + length), () => {
      this.#touch();
      released();
    });
  }

  #endInfile(command: LoadCommand): void {
    if (this.#command !== command || command.state !== 'sending') return;
    command.state = 'ended';
    const header = Buffer.alloc(4);
    writeHeader(header, 0, this.#sequence);
    this.#socket.write(header);
  }

  #onData(piece: NodeBuffer): void {
    this.#reader.push(piece);
    this.#touch();
    if (!this.#paused) this.#read();
  }

  #read(): void {
    const reader = this.#reader;
    this.#reading = true;
    try {
      while (!this.#paused && this.#lost === null && reader.next()) {
        const command = this.#command;
        if (command?.kind === 'select' && command.state === 'rows') {
          this.#row(command);
        } else {
          this.#packet(command);
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#reading = false;
    }
  }

  #row(command: SelectCommand): void {
    const { buffer, start, end } = this.#reader;
    const first = buffer[start];
    if (first === 0xfe && end - start < 9) {
      const { warnings, status } = parseEof(buffer, start);
      this.#oneResult(status);
      this.#finish();
      command.resolve({ rows: command.rows, warnings });
    } else if (first === 0xff) {
      this.#serverError();
    } else {
      command.rows++;
      this.#paused = true;
      if (command.onRow(buffer, start, end)) this.#paused = false;
      else if (this.#paused) this.#socket.pause();
    }
  }

  #packet(command: Command | null): void {
    const { buffer, start, sequence } = this.#reader;
    const first = buffer[start];
    if (first === 0xff) {
      this.#serverError();
    } else if (command === null) {
      throw this.#connectionLost('a packet that nobody asked for');
    } else if (command.kind === 'select' && first !== 0xfb) {
      this.#selectHeader(command);
    } else if (first === 0x00) {
      if (command.kind === 'select' || (command.kind === 'load' && command.state !== 'ended')) {
        throw new SkyferryFailure('INTERNAL', 'the statement answered with another kind of result');
      }
      const { status, ...completion } = parseOk(buffer, start);
      this.#oneResult(status);
      this.#finish();
      command.resolve(completion);
    } else if (first === 0xfb && command.kind === 'load' && command.state === 'asking') {
      command.state = 'sending';
      this.#sequence = sequence + 1;
      command.asked();
    } else {
      throw new SkyferryFailure('INTERNAL', 'the statement answered with another kind of result');
    }
  }

  #selectHeader(command: SelectCommand): void {
    const { buffer, start } = this.#reader;
    if (command.state === 'header') {
      command.columns = lengthEncoded(buffer, start).value;
      if (command.columns === 0) {
        throw new SkyferryFailure('INTERNAL', 'the statement returned no rows');
      }
      command.state = 'columns';
    } else if (command.state === 'columns') {
      if (--command.columns === 0) command.state = 'columns-end';
    } else {
      command.state = 'rows';
    }
  }

  #serverError(): void {
    const { buffer, start, end } = this.#reader;
    const failure = toFailure(parseErr(buffer, start, end), this.#endpoint);
    const command = this.#command;
    // Unasked, or in the middle of a load: what is on the way cannot be told apart any more.
    const midLoad = command?.kind === 'load' && command.state === 'sending';
    if (command === null || midLoad || failure.code === 'CONNECTION_LOST') {
      this.#fail(failure);
      return;
    }
    this.#finish();
    command.reject(failure);
  }

  #oneResult(status: number): void {
    if ((status & SERVER_MORE_RESULTS) !== 0) {
      throw new SkyferryFailure('INTERNAL', 'the statement returned more than one result');
    }
  }

  #finish(): void {
    this.#command = null;
    this.#unwatch();
  }

  #fail(reason: unknown): void {
    if (this.#lost !== null) return;
    this.#lost = reason;
    const command = this.#command;
    this.#finish();
    this.#release();
    this.#socket.destroy();
    command?.reject(reason);
  }

  #release(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #connectionLost(how: string): SkyferryFailure {
    return new SkyferryFailure('CONNECTION_LOST', `${describeEndpoint(this.#endpoint)}: ${how}`);
  }

  #watch(): void {
    if (this.#stallTimeoutMs === 0) return;
    this.#stall = setTimeout(() => {
      if (this.#paused) this.#stall?.refresh();
      else this.#fail(this.#connectionLost(`no sign of life for ${this.#stallTimeoutMs} ms`));
    }, this.#stallTimeoutMs).unref();
  }

  #touch(): void {
    this.#stall?.refresh();
  }

  #unwatch(): void {
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stall = null;
  }
}

function writeHeader(packet: NodeBuffer, length: number, sequence: number): void {
  packet[0] = length & 0xff;
  packet[1] = (length >> 8) & 0xff;
  packet[2] = length >> 16;
  packet[3] = sequence & 0xff;
}
