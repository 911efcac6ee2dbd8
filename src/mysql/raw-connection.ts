import type { Buffer as NodeBuffer } from 'node:buffer';
import type { Completion } from './packets.ts';

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
