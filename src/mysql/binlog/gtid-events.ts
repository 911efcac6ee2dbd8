import { uuidText } from '../gtid-set.ts';
import type { AnonymousGtidEvent, EventBase, GtidEvent, TransactionTimes } from './events.ts';
import type { Cursor } from './integers.ts';
import { readPacked, uint48 } from './integers.ts';
import { corrupt, unsupported } from './problems.ts';

/** GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT: fixed fields, then what later versions added. */
export function readGtid(base: EventBase, bytes: Buffer, start: number, end: number): GtidEvent {
  const times = readTimes(bytes, start, end);
  return {
    file: base.file,
    offset: base.offset,
    timestamp: base.timestamp,
    serverId: base.serverId,
    type: 'gtid',
    uuid: uuidText(bytes, start + 1),
    tag: '',
    number: bytes.readBigInt64LE(start + 17),
    immediateCommitMicros: times.immediateCommitMicros,
    originalCommitMicros: times.originalCommitMicros,
    transactionLength: times.transactionLength,
  };
}

export function readAnonymousGtid(
  base: EventBase,
  bytes: Buffer,
  start: number,
  end: number,
): AnonymousGtidEvent {
  return { ...base, type: 'anonymous-gtid', ...readTimes(bytes, start, end) };
}

function readTimes(bytes: Buffer, start: number, end: number): TransactionTimes {
  if (end - start < 25) throw corrupt('a GTID event is cut off');
  const LOGICAL_TIMESTAMPS = 2;
  const micros = start + 25 + 17;
  if (micros + 7 > end || bytes[start + 25] !== LOGICAL_TIMESTAMPS) return noTimes;
  const immediate = uint48(bytes, micros) + (bytes[micros + 6]! & 0x7f) * 2 ** 48;
  const hasOriginal = (bytes[micros + 6]! & 0x80) !== 0;
  const original = hasOriginal
    ? uint48(bytes, micros + 7) + bytes[micros + 13]! * 2 ** 48
    : immediate;
  const cursor = { at: micros + (hasOriginal ? 14 : 7) };
  const transactionLength = cursor.at < end ? readPacked(bytes, cursor) : null;
  if (!(cursor.at <= end)) throw corrupt('a GTID event is cut off');
  return {
    immediateCommitMicros: immediate,
    originalCommitMicros: original,
    transactionLength,
  };
}

const noTimes: TransactionTimes = {
  immediateCommitMicros: null,
  originalCommitMicros: null,
  transactionLength: null,
};

/**
 * GTID_TAGGED_LOG_EVENT (8.3+): a message of mysql::serialization, version 1: its size, the last field
 * that must be understood, then fields as id and value, all as variable-length integers. Fields
 * that are equal to a former one are left out.
 */
export function readTaggedGtid(
  base: EventBase,
  bytes: Buffer,
  start: number,
  end: number,
): GtidEvent {
  const cursor = { at: start };
  const version = Number(readVariable(bytes, cursor));
  if (version !== 1) throw unsupported(`tagged GTID event of serialization version ${version}`);
  const messageEnd = start + Number(readVariable(bytes, cursor));
  const lastNeededField = Number(readVariable(bytes, cursor));
  if (messageEnd > end) throw corrupt('a tagged GTID event is cut off');
  if (lastNeededField > KNOWN_FIELDS) {
    throw unsupported(`tagged GTID event with field ${lastNeededField}`);
  }
  let uuid = '';
  let tag = '';
  const numbers = new Map<number, bigint>();
  while (cursor.at < messageEnd) {
    const field = Number(readVariable(bytes, cursor));
    if (field > KNOWN_FIELDS) break;
    if (field === taggedFields.uuid) {
      const raw = Buffer.alloc(16);
      for (let i = 0; i < 16; i++) raw[i] = Number(readVariable(bytes, cursor));
      uuid = uuidText(raw, 0);
    } else if (field === taggedFields.tag) {
      const length = Number(readVariable(bytes, cursor));
      tag = bytes.toString('latin1', cursor.at, cursor.at + length);
      cursor.at += length;
    } else {
      numbers.set(field, readVariable(bytes, cursor));
    }
  }
  const number = unzigzag(numbers.get(taggedFields.number) ?? 0n);
  if (uuid === '' || number < 1n) throw corrupt('a tagged GTID event without its GTID');
  const immediate = numbers.get(taggedFields.immediateCommit);
  const original = numbers.get(taggedFields.originalCommit) ?? immediate;
  const length = numbers.get(taggedFields.transactionLength);
  return {
    ...base,
    type: 'gtid',
    uuid,
    tag,
    number,
    immediateCommitMicros: immediate === undefined ? null : Number(immediate),
    originalCommitMicros: original === undefined ? null : Number(original),
    transactionLength: length === undefined ? null : Number(length),
  };
}

const taggedFields = {
  uuid: 1,
  number: 2,
  tag: 3,
  immediateCommit: 6,
  originalCommit: 7,
  transactionLength: 8,
} as const;

const KNOWN_FIELDS = 11;

/** As many bytes follow the first as it has low one bits; the rest is the value, low bits first. */
function readVariable(bytes: Buffer, cursor: Cursor): bigint {
  const first = bytes[cursor.at];
  if (first === undefined) throw corrupt('an event is cut off');
  let more = 0;
  while ((first >> more) & 1) more += 1;
  cursor.at += 1;
  let value = BigInt(more < 8 ? first >> (more + 1) : 0);
  let shift = BigInt(more < 8 ? 7 - more : 0);
  for (let i = 0; i < more; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw corrupt('an event is cut off');
    value |= BigInt(byte) << shift;
    shift += 8n;
  }
  return value;
}

function unzigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/** HEARTBEAT_LOG_EVENT_V2: fields as type, length, value. */
export function readHeartbeatV2(
  bytes: Buffer,
  start: number,
  end: number,
): { file: string; offset: number } {
  const cursor = { at: start };
  let file = '';
  let offset = 0;
  while (cursor.at < end) {
    const field = readPacked(bytes, cursor);
    if (field === 0) break;
    const length = readPacked(bytes, cursor);
    if (field === 1) file = bytes.toString('utf8', cursor.at, cursor.at + length);
    if (field === 2) offset = readPacked(bytes, { at: cursor.at });
    cursor.at += length;
  }
  if (!(cursor.at <= end)) throw corrupt('a heartbeat is cut off');
  return { file, offset };
}
