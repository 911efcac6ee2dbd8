import type { Buffer as NodeBuffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Connection as Driver } from 'mysql2';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from './endpoint.ts';
import { describeEndpoint } from './endpoint.ts';
import { toFailure } from './errors.ts';
import type { Completion } from './packets.ts';
import {
  lengthEncoded,
  PacketReader,
  parseEof,
  parseErr,
  parseOk,
  parseTextRow,
  SERVER_MORE_RESULTS,
} from './packets.ts';
import type { Command, LoadCommand, SelectCommand } from './raw-command.ts';
import { COM_QUIT, queryPackets, writeHeader } from './raw-command.ts';
import type { InfileWriter, OnRow, RawConnection, RawOptions, Selected } from './raw-connection.ts';
import { StallWatch } from './stall-watch.ts';

/** What mysql2 does not type: the socket after TLS, and what was negotiated. */
interface DriverInside {
  readonly stream: Socket;
  readonly serverCapabilityFlags: number;
  readonly config: { readonly clientFlags: number };
}

/** A session of mysql2's after its login. */
export type LoggedIn = Driver & DriverInside;

const CLIENT_QUERY_ATTRIBUTES = 1 << 27;

/** Takes over the socket of a session that has logged in. */
export class SocketConnection implements RawConnection {
  readonly threadId: number;
  readonly #endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  readonly #attributes: boolean;
  readonly #reader = new PacketReader();
  readonly #stall: StallWatch;
  readonly #onAbort = () => this.#fail(this.#signal?.reason);
  #command: Command | null = null;
  #paused = false;
  #reading = false;
  #sequence = 0;
  #lost: unknown = null;

  constructor(driver: LoggedIn, endpoint: Endpoint, options: RawOptions) {
    this.threadId = driver.threadId ?? 0;
    this.#endpoint = endpoint;
    this.#signal = options.signal;
    this.#stall = new StallWatch(
      options.stallTimeoutMs ?? 0,
      () => this.#paused,
      (ms) => this.#fail(this.#connectionLost(`no sign of life for ${ms} ms`)),
    );
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
    this.#stall.touch();
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
    this.#command = command;
    this.#stall.start();
    for (const packet of queryPackets(sql, this.#attributes)) this.#socket.write(packet);
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
    this.#stall.touch();
    this.#socket.write(packet.subarray(0, 4 + length), () => {
      this.#stall.touch();
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
    this.#stall.touch();
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
    this.#stall.stop();
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
}
