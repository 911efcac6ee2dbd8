import type { GtidSet } from '../gtid-set.ts';
import type { FilePosition } from '../position.ts';
import type { TableMap } from './table-map.ts';

/**
 * Everything that a binlog holds. `file` and `offset` are the position after the event (of events
 * within a compressed transaction: after the whole payload). Buffers inside are views of the read
 * buffer: valid until the callback that got the event has returned or its promise has settled.
 */
export type BinlogEvent =
  | FormatDescriptionEvent
  | RotateEvent
  | PreviousGtidsEvent
  | GtidEvent
  | AnonymousGtidEvent
  | QueryEvent
  | TableMapEvent
  | RowsEvent
  | XidEvent
  | XaPrepareEvent
  | HeartbeatEvent
  | RowsQueryEvent
  | IgnorableEvent
  | StopEvent;

export interface EventBase extends FilePosition {
  /** Seconds since 1970 by the source's clock: when the statement started. 0 for made-up events. */
  readonly timestamp: number;
  readonly serverId: number;
}

export interface FormatDescriptionEvent extends EventBase {
  readonly type: 'format-description';
  readonly serverVersion: string;
  readonly checksum: 'none' | 'crc32';
  /** The whole event with its header and its own checksum: an own copy. */
  readonly bytes: Buffer;
}

/** `file` and `offset` are already those of the next file. */
interface RotateEvent extends EventBase {
  readonly type: 'rotate';
  /** Made up by the server to tell where it reads: not in the file. */
  readonly artificial: boolean;
}

/** What was executed before this file began. */
interface PreviousGtidsEvent extends EventBase {
  readonly type: 'previous-gtids';
  readonly set: GtidSet;
}

export interface TransactionTimes {
  /** Commit on the server that the binlog is read from: µs since 1970; null before 8.0. */
  readonly immediateCommitMicros: number | null;
  /** Commit on the server where the transaction began its way. */
  readonly originalCommitMicros: number | null;
  /** Bytes of the whole transaction, this event included; null before 8.0.2. */
  readonly transactionLength: number | null;
}

export interface GtidEvent extends EventBase, TransactionTimes {
  readonly type: 'gtid';
  readonly uuid: string;
  /** '' for none. */
  readonly tag: string;
  readonly number: bigint;
}

export interface AnonymousGtidEvent extends EventBase, TransactionTimes {
  readonly type: 'anonymous-gtid';
}

/** A statement as text; BEGIN, COMMIT and the XA statements come so too. */
export interface QueryEvent extends EventBase {
  readonly type: 'query';
  readonly threadId: number;
  /** Errno that the statement ended with on the source, 0 normally. */
  readonly errorCode: number;
  /** The default database, '' for none. */
  readonly schema: string;
  /** Decoded as UTF-8, whatever the client's character set was; `text` has the bytes. */
  readonly sql: string;
  readonly text: Buffer;
}

interface TableMapEvent extends EventBase {
  readonly type: 'table-map';
  readonly table: TableMap;
}

export type RowChange = 'insert' | 'update' | 'delete';

/** Walk its rows with `walkRows`. */
export interface RowsEvent extends EventBase {
  readonly type: 'rows';
  readonly change: RowChange;
  readonly table: TableMap;
  /** The images lie from `start` to `end`. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Nothing of the statement follows. */
  readonly endOfStatement: boolean;
  /** Written with foreign_key_checks=0 on the source. */
  readonly noForeignKeyChecks: boolean;
  /** 9.x with its foreign keys above the engine: what they cascaded is logged too, as rows of its own. */
  readonly cascadesLogged: boolean;
  /** Why the images cannot be used as they are (a column is missing, JSON diffs); null: they can. */
  readonly refusal: string | null;
}

/** Commits. */
interface XidEvent extends EventBase {
  readonly type: 'xid';
  readonly xid: bigint;
}

interface XaPrepareEvent extends EventBase {
  readonly type: 'xa-prepare';
  /** XA COMMIT … ONE PHASE: commits. */
  readonly onePhase: boolean;
  /** As in `XA COMMIT`: X'…',X'…',n */
  readonly xid: string;
}

/** The server has nothing more to send, or skipped what the reader has already. */
export interface HeartbeatEvent extends EventBase {
  readonly type: 'heartbeat';
}

/** The statement's text, for people: it holds row values, so it is not handed out. */
interface RowsQueryEvent extends EventBase {
  readonly type: 'rows-query';
}

/** Carries nothing that changes data; or, of an unknown type, declared so by the source. */
interface IgnorableEvent extends EventBase {
  readonly type: 'ignorable';
  readonly code: number;
}

/** The source was shut down. */
interface StopEvent extends EventBase {
  readonly type: 'stop';
}

/** Type codes. */
export const eventCodes = {
  query: 2,
  stop: 3,
  rotate: 4,
  formatDescription: 15,
  xid: 16,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
} as const;

export const HEADER_LENGTH = 19;
export const CHECKSUM_LENGTH = 4;

/** Bits of the flags of a rows event. */
export const rowsFlags = { endOfStatement: 1, noForeignKeyChecks: 2, cascadesLogged: 16 } as const;
