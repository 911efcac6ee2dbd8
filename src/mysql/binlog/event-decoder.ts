import { SkyferryFailure } from '../../failures.ts';
import { GtidSet } from '../gtid-set.ts';
import type { FilePosition } from '../position.ts';
import { crc32 } from './crc32.ts';
import type { BinlogEvent } from './events.ts';
import { CHECKSUM_LENGTH, eventCodes, HEADER_LENGTH } from './events.ts';
import { readAnonymousGtid, readGtid, readHeartbeatV2, readTaggedGtid } from './gtid-events.ts';
import { uint32, uint64 } from './integers.ts';
import { corrupt, unsupported } from './problems.ts';
import { readQuery } from './query-event.ts';
import { readRows } from './rows.ts';
import { TableMap } from './table-map.ts';
import { readPayload } from './transaction-payload.ts';

const FLAG_ARTIFICIAL = 0x20;
const FLAG_IGNORABLE = 0x80;
const WRAP = 0x1_0000_0000;

/**
 * Turns the bytes of events into events, and keeps what that needs: the checksum in use, the table
 * maps and the position. One for each stream.
 */
export class EventDecoder {
  #file: string;
  #offset: number;
  #checksum = false;
  #formatKnown = false;
  readonly #tables = new Map<number, TableMap>();
  /** Of the event that is being read: reused, and never handed out. */
  readonly #base = { file: '', offset: 0, timestamp: 0, serverId: 0 };

  constructor(from: FilePosition) {
    this.#file = from.file;
    this.#offset = from.offset;
  }

  /** After the last event that was decoded. */
  get position(): FilePosition {
    return { file: this.#file, offset: this.#offset };
  }

  /**
   * An event that lies whole in `bytes`, or the events of a compressed transaction one by one. Throws
   * BINLOG_CORRUPT, BINLOG_UNSUPPORTED; the position stays before the event then.
   */
  decode(bytes: Buffer, start: number, end: number): BinlogEvent | Iterable<BinlogEvent> {
    try {
      return this.#decode(bytes, start, end);
    } catch (error) {
      throw this.#withPosition(error);
    }
  }

  #decode(bytes: Buffer, start: number, end: number): BinlogEvent | Iterable<BinlogEvent> {
    const length = end - start;
    if (length < HEADER_LENGTH || uint32(bytes, start + 9) !== length) {
      throw corrupt("an event's length is not what its header says");
    }
    const code = bytes[start + 4]!;
    const bodyEnd = end - this.#verifyChecksum(code, bytes, start, end);
    if (bodyEnd < start + HEADER_LENGTH) throw corrupt('an event is cut off');
    const offset = this.#endOffset(code, bytes, start, length);
    if (code === eventCodes.transactionPayload) return this.#expand(bytes, start, bodyEnd, offset);
    const event = this.#event(code, bytes, start, bodyEnd, offset);
    this.#file = event.file;
    this.#offset = event.offset;
    return event;
  }

  /** Returns how many bytes the checksum takes. */
  #verifyChecksum(code: number, bytes: Buffer, start: number, end: number): number {
    if (code === eventCodes.formatDescription) this.#readChecksumMethod(bytes, start, end);
    const matches = () =>
      crc32(bytes, start, end - CHECKSUM_LENGTH) === uint32(bytes, end - CHECKSUM_LENGTH);
    // The first event is made up before the server knows the file's checksum method: with a checksum or without.
    if (!this.#formatKnown) return matches() ? CHECKSUM_LENGTH : 0;
    // A format description always has room for a checksum.
    if (!this.#checksum) return code === eventCodes.formatDescription ? CHECKSUM_LENGTH : 0;
    if (!matches()) throw corrupt("an event's checksum does not match");
    return CHECKSUM_LENGTH;
  }

  #readChecksumMethod(bytes: Buffer, start: number, end: number): void {
    const version = bytes[start + HEADER_LENGTH]! | (bytes[start + HEADER_LENGTH + 1]! << 8);
    if (version !== 4) throw unsupported(`binlog format version ${version}`);
    if (bytes[start + HEADER_LENGTH + 56] !== HEADER_LENGTH) {
      throw unsupported('event headers of another length');
    }
    const method = bytes[end - CHECKSUM_LENGTH - 1]!;
    if (method > 1) throw unsupported(`binlog checksum method ${method}`);
    this.#checksum = method === 1;
    this.#formatKnown = true;
  }

  /**
   * The header has the low half of the end offset. What the server skips is announced by heartbeats, so
   * the end is the next offset with that low half.
   */
  #endOffset(code: number, bytes: Buffer, start: number, length: number): number {
    const low = uint32(bytes, start + 13);
    if (low === 0 || (flagsOf(bytes, start) & FLAG_ARTIFICIAL) !== 0) return this.#offset;
    if (code === eventCodes.heartbeatV2) return this.#offset;
    const next = this.#offset + (code === eventCodes.heartbeat ? 0 : length);
    return next + ((low - (next % WRAP) + WRAP) % WRAP);
  }

  #event(code: number, bytes: Buffer, start: number, end: number, endOffset: number): BinlogEvent {
    const body = start + HEADER_LENGTH;
    const base = this.#base;
    base.file = this.#file;
    base.offset = endOffset;
    base.timestamp = uint32(bytes, start);
    base.serverId = uint32(bytes, start + 5);
    const { file, offset, timestamp, serverId } = base;
    // Spreading objects takes several times as long as all the rest: not for the frequent events.
    switch (code) {
      case eventCodes.writeRows:
      case eventCodes.updateRows:
      case eventCodes.deleteRows:
      case eventCodes.writeRowsV1:
      case eventCodes.updateRowsV1:
      case eventCodes.deleteRowsV1:
      case eventCodes.partialUpdateRows:
        return readRows(base, code, bytes, body, end, this.#tables);
      case eventCodes.tableMap: {
        const table = this.#tableMap(bytes, body, end);
        return { file, offset, timestamp, serverId, type: 'table-map', table };
      }
      case eventCodes.gtid:
        return readGtid(base, bytes, body, end);
      case eventCodes.gtidTagged:
        return readTaggedGtid(base, bytes, body, end);
      case eventCodes.anonymousGtid:
        return readAnonymousGtid(base, bytes, body, end);
      case eventCodes.query:
        return readQuery(base, bytes, body, end);
      case eventCodes.xid: {
        const xid = bytes.readBigUInt64LE(body);
        return { file, offset, timestamp, serverId, type: 'xid', xid };
      }
      case eventCodes.xaPrepare:
        return { ...base, type: 'xa-prepare', ...readXaPrepare(bytes, body, end) };
      case eventCodes.heartbeat: {
        const named = bytes.toString('utf8', body, end);
        return named === file || named === ''
          ? { ...base, type: 'heartbeat' }
          : { ...base, type: 'heartbeat', file: named, offset: uint32(bytes, start + 13) };
      }
      case eventCodes.heartbeatV2:
        return { ...base, type: 'heartbeat', ...readHeartbeatV2(bytes, body, end) };
      case eventCodes.rotate: {
        this.#tables.clear();
        return {
          ...base,
          type: 'rotate',
          file: bytes.toString('utf8', body + 8, end),
          offset: uint64(bytes, body),
          artificial:
            (flagsOf(bytes, start) & FLAG_ARTIFICIAL) !== 0 || uint32(bytes, start + 13) === 0,
        };
      }
      case eventCodes.formatDescription:
        this.#tables.clear();
        return {
          ...base,
          type: 'format-description',
          serverVersion: bytes.toString('latin1', body + 2, body + 52).replace(/\0.*$/s, ''),
          checksum: this.#checksum ? 'crc32' : 'none',
          bytes: Buffer.from(bytes.subarray(start, end + CHECKSUM_LENGTH)),
        };
      case eventCodes.previousGtids:
        return { ...base, type: 'previous-gtids', set: GtidSet.decode(bytes.subarray(body, end)) };
      case eventCodes.rowsQuery:
        return { ...base, type: 'rows-query' };
      case eventCodes.stop:
        return { ...base, type: 'stop' };
      case eventCodes.ignorable:
      case eventCodes.transactionContext:
      case eventCodes.viewChange:
        return { ...base, type: 'ignorable', code };
      case eventCodes.incident:
        throw unsupported('the source reports lost events (INCIDENT): its binlog has a hole here');
      default:
        if ((flagsOf(bytes, start) & FLAG_IGNORABLE) !== 0) {
          return { ...base, type: 'ignorable', code };
        }
        throw unsupported(`binlog event of type ${code}`);
    }
  }

  *#expand(bytes: Buffer, start: number, end: number, endOffset: number): Generator<BinlogEvent> {
    try {
      for (const inner of readPayload(bytes, start + HEADER_LENGTH, end)) {
        const code = inner.bytes[inner.start + 4]!;
        yield this.#event(code, inner.bytes, inner.start, inner.end, endOffset);
      }
    } catch (error) {
      throw this.#withPosition(error);
    }
    this.#offset = endOffset;
  }

  #tableMap(bytes: Buffer, start: number, end: number): TableMap {
    const id = uint32(bytes, start) + (bytes[start + 4]! | (bytes[start + 5]! << 8)) * WRAP;
    const known = this.#tables.get(id);
    if (known !== undefined && known.sameBody(bytes, start, end)) return known;
    const table = new TableMap(bytes, start, end);
    this.#tables.set(id, table);
    return table;
  }

  #withPosition(error: unknown): unknown {
    const at = this.position;
    if (error instanceof SkyferryFailure) {
      if (error.message.includes('(binlog ')) return error;
      const problem = error.code === 'BINLOG_UNSUPPORTED' ? unsupported : corrupt;
      return problem(error.message, at);
    }
    // Buffer's own readers throw RangeError beyond the end.
    if (error instanceof RangeError) return corrupt('an event is cut off or malformed', at);
    return error;
  }
}

function flagsOf(bytes: Buffer, start: number): number {
  return bytes[start + 17]! | (bytes[start + 18]! << 8);
}

function readXaPrepare(
  bytes: Buffer,
  start: number,
  end: number,
): { onePhase: boolean; xid: string } {
  const gtrid = bytes.readInt32LE(start + 5);
  const bqual = bytes.readInt32LE(start + 9);
  const data = start + 13;
  if (gtrid < 0 || bqual < 0 || data + gtrid + bqual > end) throw corrupt('XA_PREPARE is cut off');
  const hex = (from: number, length: number) => `X'${bytes.toString('hex', from, from + length)}'`;
  return {
    onePhase: bytes[start] !== 0,
    xid: `${hex(data, gtrid)},${hex(data + gtrid, bqual)},${bytes.readInt32LE(start + 1)}`,
  };
}
