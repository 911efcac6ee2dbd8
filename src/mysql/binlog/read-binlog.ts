import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { SkyferryFailure } from '../../failures.ts';
import type { Endpoint } from '../endpoint.ts';
import { describeEndpoint } from '../endpoint.ts';
import { toFailure } from '../errors.ts';
import { GtidSet } from '../gtid-set.ts';
import { PacketReader, parseErr } from '../packets.ts';
import type { FilePosition } from '../position.ts';
import type { DumpSession } from './dump-socket.ts';
import { openDumpSession } from './dump-socket.ts';
import { EventDecoder } from './event-decoder.ts';
import type { BinlogEvent } from './events.ts';

export interface ReadBinlogOptions {
  readonly source: Endpoint;
  /** Differs from every server's; it only shows in SHOW REPLICAS. */
  readonly serverId: number;
  /** A GTID set: everything that is not in it. A file position: everything from there on. */
  readonly from: GtidSet | FilePosition;
  /** How often the source gives a sign of life when it has nothing to send. */
  readonly heartbeatMs: number;
  readonly signal?: AbortSignal;
  /** Ends at the end of the log instead of waiting for more. */
  readonly untilEnd?: boolean;
}

/**
 * Called for each event in order. A promise holds the stream back until it settles (the socket is
 * paused, so the source waits too); 'stop' ends the reading. A throw ends it too.
 */
export type OnEvent = (event: BinlogEvent) => EventAnswer | Promise<EventAnswer>;
export type EventAnswer = void | 'stop';

/**
 * Reads the source's binlog. Resolves when `onEvent` says 'stop' or, with `untilEnd`, at the end of
 * the log, with the position after the last event; rejects with the signal's reason, with what
 * `onEvent` threw, or with CONNECTION_LOST, BINLOG_PURGED, BINLOG_CORRUPT, BINLOG_UNSUPPORTED.
 * Memory: the largest event, or one slice of a compressed transaction.
 */
export async function readBinlog(
  options: ReadBinlogOptions,
  onEvent: OnEvent,
): Promise<FilePosition> {
  const session = await openDumpSession(options.source, options.signal);
  try {
    const start = await checkStart(session, options);
    await prepareSession(session, options.heartbeatMs);
    const stream = new DumpStream(session.takeSocket(), start, options, onEvent);
    return await stream.run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw await explain(error, options);
  } finally {
    session.destroy();
  }
}

/** Tells a purged binlog and a foreign position before the server answers with its one errno for all. */
async function checkStart(
  session: DumpSession,
  { from, source }: ReadBinlogOptions,
): Promise<FilePosition> {
  if (from instanceof GtidSet) {
    const [row] = await session.query(
      'SELECT @@GLOBAL.gtid_mode AS mode, @@GLOBAL.gtid_purged AS purged, @@GLOBAL.gtid_executed AS executed, @@GLOBAL.server_uuid AS uuid',
    );
    if (row === undefined || !String(row['mode']).startsWith('ON')) {
      throw new SkyferryFailure(
        'BINLOG_UNSUPPORTED',
        `${describeEndpoint(source)}: gtid_mode is not ON, so a GTID set is no position there`,
      );
    }
    const missing = GtidSet.parse(String(row['purged'])).subtract(from);
    if (!missing.isEmpty()) throw purged(source, `transactions ${missing.toString()} are gone`);
    // Only its own transactions are certain to have been there before: others may come from elsewhere.
    const own = from.subtract(GtidSet.parse(String(row['executed'])));
    if (own.toString().includes(String(row['uuid']))) {
      throw purged(
        source,
        `the position is ahead of the source, which lost ${own.toString()} (was it restored?)`,
      );
    }
    return { file: '', offset: 4 };
  }
  const log = (await session.query('SHOW BINARY LOGS')).find(
    (row) => row['Log_name'] === from.file,
  );
  if (log === undefined) throw purged(source, `binlog file ${from.file} is gone`);
  if (Number(log['File_size']) < from.offset) {
    throw purged(source, `offset ${from.offset} is beyond the end of ${from.file}`);
  }
  return { file: from.file, offset: startOffset(from) };
}

function purged(source: Endpoint, what: string): SkyferryFailure {
  return new SkyferryFailure('BINLOG_PURGED', `${describeEndpoint(source)}: ${what}`, {
    safe: 'nothing was applied beyond the checkpoint',
    next: 'keep binlogs longer on the source, then begin the migration anew',
  });
}

async function prepareSession(session: DumpSession, heartbeatMs: number): Promise<void> {
  const period = BigInt(Math.round(heartbeatMs)) * 1_000_000n;
  // A dump of the same replica UUID ends the former one: two readers of ours must not share it.
  const uuid = randomUUID();
  const pairs = [
    ['binlog_checksum', '@@GLOBAL.binlog_checksum'],
    ['heartbeat_period', String(period)],
  ];
  const assignments = pairs.flatMap(([name, value]) => [
    `@source_${name} = ${value}`,
    `@master_${name} = ${value}`,
  ]);
  assignments.push(`@replica_uuid = '${uuid}'`, `@slave_uuid = '${uuid}'`);
  // While the consumer holds the stream back, the server's writes stand still.
  assignments.push('SESSION net_write_timeout = 3600');
  await session.query(`SET ${assignments.join(', ')}`);
}

/** Errno 1236 has many causes; the text would tell, in the server's language. What can be asked is asked. */
async function explain(error: unknown, options: ReadBinlogOptions): Promise<unknown> {
  if (!(error instanceof DumpRefused)) return error;
  if (error.errno !== READ_ERROR) return error.failure;
  const session = await openDumpSession(options.source, options.signal);
  try {
    if (options.from instanceof GtidSet && error.at.file === '') await checkStart(session, options);
    else await checkStart(session, { ...options, from: error.at });
  } catch (cause) {
    return cause;
  } finally {
    session.destroy();
  }
  return new SkyferryFailure(
    'BINLOG_CORRUPT',
    `${describeEndpoint(options.source)}: the source cannot read its binlog any further than ` +
      `${error.at.file}:${error.at.offset} (MySQL error ${READ_ERROR})`,
    { errno: READ_ERROR, next: "see the source's error log" },
  );
}

const READ_ERROR = 1236;

class DumpRefused extends Error {
  readonly errno: number;
  readonly failure: SkyferryFailure;
  readonly at: FilePosition;

  constructor(errno: number, failure: SkyferryFailure, at: FilePosition) {
    super(failure.message);
    this.errno = errno;
    this.failure = failure;
    this.at = at;
  }
}

const COM_BINLOG_DUMP = 0x12;
const COM_BINLOG_DUMP_GTID = 0x1e;
const DUMP_NON_BLOCK = 1;
const DUMP_HEARTBEAT_V2 = 2;
const LARGEST_OFFSET = 0xffff_ffff;

/** COM_BINLOG_DUMP has 32 bits for the offset: beyond them the file is read from its beginning. */
function startOffset({ offset }: FilePosition): number {
  return offset > LARGEST_OFFSET ? 4 : offset;
}

function dumpCommand({ from, serverId, untilEnd }: ReadBinlogOptions): Buffer {
  const flags = untilEnd === true ? DUMP_NON_BLOCK : 0;
  if (from instanceof GtidSet) {
    const set = from.encode();
    const fixed = Buffer.alloc(23);
    fixed[0] = COM_BINLOG_DUMP_GTID;
    fixed.writeUInt16LE(flags | DUMP_HEARTBEAT_V2, 1);
    fixed.writeUInt32LE(serverId, 3);
    fixed.writeUInt32LE(0, 7); // no file name: the server finds the file
    fixed.writeUInt32LE(4, 11);
    fixed.writeUInt32LE(set.length, 19);
    return Buffer.concat([fixed, set]);
  }
  const fixed = Buffer.alloc(11);
  fixed[0] = COM_BINLOG_DUMP;
  fixed.writeUInt32LE(startOffset(from), 1);
  fixed.writeUInt16LE(flags, 5);
  fixed.writeUInt32LE(serverId, 7);
  return Buffer.concat([fixed, Buffer.from(from.file)]);
}

class DumpStream {
  readonly #socket: Socket;
  readonly #options: ReadBinlogOptions;
  readonly #onEvent: OnEvent;
  readonly #decoder: EventDecoder;
  readonly #reader = new PacketReader();
  /** Events that end here or before are dropped. */
  readonly #skipUntil: FilePosition | null;
  /** What is left of a compressed transaction. */
  #inner: Iterator<BinlogEvent> | null = null;
  #held = false;
  #ended = false;
  /** The connection ended while the stream was held back. */
  #closed: SkyferryFailure | null = null;
  #lastSign = Date.now();
  #settle: { resolve(at: FilePosition): void; reject(error: unknown): void } | null = null;

  constructor(socket: Socket, start: FilePosition, options: ReadBinlogOptions, onEvent: OnEvent) {
    this.#socket = socket;
    this.#options = options;
    this.#onEvent = onEvent;
    this.#decoder = new EventDecoder(start);
    const { from } = options;
    this.#skipUntil = !(from instanceof GtidSet) && from.offset !== start.offset ? from : null;
  }

  async run(): Promise<FilePosition> {
    const { source, signal, heartbeatMs } = this.#options;
    const lost = (how: string) =>
      new SkyferryFailure('CONNECTION_LOST', `${describeEndpoint(source)}: binlog stream ${how}`);
    const onAbort = () => this.#fail(signal?.reason);
    const watch = setInterval(() => {
      const silent = Date.now() - this.#lastSign;
      if (!this.#held && silent > 3 * heartbeatMs) {
        this.#fail(lost(`gave no sign of life for ${silent} ms`));
      }
    }, heartbeatMs);
    try {
      return await new Promise<FilePosition>((resolve, reject) => {
        this.#settle = { resolve, reject };
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted === true) onAbort();
        this.#socket.on('data', (piece) => this.#onData(piece));
        this.#socket.on('error', (error) => this.#fail(toFailure(error, source)));
        this.#socket.on('end', () => this.#onClosed(lost('was closed by the server')));
        this.#socket.on('close', () => this.#onClosed(lost('was closed')));
        this.#socket.write(packet(dumpCommand(this.#options)));
        this.#socket.resume();
      });
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #onData(piece: Buffer): void {
    this.#lastSign = Date.now();
    if (this.#ended) return;
    this.#reader.push(piece);
    if (!this.#held) this.#pump();
  }

  /** While the consumer holds the stream back, its proper end may wait among what was received already. */
  #onClosed(failure: SkyferryFailure): void {
    if (this.#held) this.#closed ??= failure;
    else this.#fail(failure);
  }

  #pump(): void {
    try {
      while (!this.#held && !this.#ended) {
        const event = this.#nextEvent();
        if (event === null) return;
        const answer = this.#onEvent(event);
        if (answer instanceof Promise) this.#hold(answer);
        else if (answer === 'stop') this.#finish();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #hold(answer: Promise<EventAnswer>): void {
    this.#held = true;
    this.#socket.pause();
    answer.then(
      (verdict) => this.#goOn(verdict),
      (error: unknown) => this.#fail(error),
    );
  }

  #goOn(verdict: EventAnswer): void {
    this.#held = false;
    this.#lastSign = Date.now();
    if (verdict === 'stop') this.#finish();
    this.#pump();
    if (this.#held || this.#ended) return;
    if (this.#closed !== null) this.#fail(this.#closed);
    else this.#socket.resume();
  }

  /** null: more bytes are needed, or the stream has ended. */
  #nextEvent(): BinlogEvent | null {
    for (;;) {
      if (this.#inner !== null) {
        const step = this.#inner.next();
        if (step.done === true) this.#inner = null;
        else if (!this.#isSkipped(step.value)) return step.value;
        continue;
      }
      if (!this.#reader.next()) return null;
      const { buffer, start, end } = this.#reader;
      if (buffer[start] !== 0) {
        this.#endOfStream(buffer, start, end);
        return null;
      }
      const decoded = this.#decoder.decode(buffer, start + 1, end);
      if (!('type' in decoded)) this.#inner = decoded[Symbol.iterator]();
      else if (!this.#isSkipped(decoded)) return decoded;
    }
  }

  #isSkipped({ type, file, offset }: BinlogEvent): boolean {
    const until = this.#skipUntil;
    if (until === null || type === 'format-description' || type === 'rotate') return false;
    return file === until.file && offset <= until.offset;
  }

  #endOfStream(buffer: Buffer, start: number, end: number): void {
    const EOF_PACKET = 0xfe;
    if (buffer[start] === EOF_PACKET && end - start < 9) {
      this.#finish();
      return;
    }
    const refused = parseErr(buffer, start, end);
    const failure = toFailure(refused, this.#options.source);
    this.#fail(new DumpRefused(refused.errno, failure, this.#decoder.position));
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#settle?.resolve(this.#decoder.position);
  }

  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#settle?.reject(reason);
  }
}

function packet(payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}
