import { SkyferryFailure } from '../../failures.ts';
import type { QualifiedName } from '../identifier.ts';
import type { FormatDescriptionEvent, RowChange } from './events.ts';
import { CHECKSUM_LENGTH, eventCodes, HEADER_LENGTH, rowsFlags } from './events.ts';
import { packedInteger } from './integers.ts';
import type { TableMap } from './table-map.ts';

/**
 * What a session on the target runs once, before the first BINLOG statement with rows: the source's
 * format description, so that later events are understood and go without checksums; and GTIDs as
 * usual, because the format description makes the session's next transaction an anonymous one.
 */
export function openingStatements({ bytes }: FormatDescriptionEvent): string[] {
  const event = Buffer.from(bytes);
  const checksumMethod = event.length - CHECKSUM_LENGTH - 1;
  event[checksumMethod] = 0;
  return [binlogStatement(event), "SET SESSION gtid_next = 'AUTOMATIC'"];
}

/** A whole TABLE_MAP event for the same columns under the target's spelling of the name. */
export function encodeTableMap(table: TableMap, name: QualifiedName): Buffer {
  const columns = table.body.subarray(table.namesEnd);
  const names = Buffer.concat([encodeName(name.schema), encodeName(name.name)]);
  const body = Buffer.concat([table.body.subarray(0, 8), names, columns]);
  const header = Buffer.alloc(HEADER_LENGTH);
  writeHeader(header, 0, eventCodes.tableMap, HEADER_LENGTH + body.length);
  return Buffer.concat([header, body]);
}

/** ASCII only, so it may be sent in any character set. */
function binlogStatement(events: Buffer): string {
  return `BINLOG '${events.toString('base64')}'`;
}

/**
 * Collects rows into BINLOG statements. For each table and kind of change call `open`, then `row` for
 * each image, then go on with the next `open`; `take` ends and hands out what there is. The rows are
 * applied by the target in the order given, without foreign key checks or cascades.
 */
export class BinlogStatementWriter {
  readonly #maxBytes: number;
  #buffer = Buffer.allocUnsafeSlow(1 << 20);
  #length = 0;
  #statements: string[] = [];
  #table: TableMap | null = null;
  #tableMap: Buffer = Buffer.alloc(0);
  #change: RowChange = 'insert';
  /** Where the open rows event begins; -1: none yet. */
  #rowsStart = -1;
  #bytesTaken = 0;

  /** `maxStatementBytes`: stays below the target's max_allowed_packet. */
  constructor(maxStatementBytes: number) {
    // Base64 makes 4 bytes of 3; the rest is for the statement's own text.
    this.#maxBytes = Math.floor(((maxStatementBytes - 64) / 4) * 3);
  }

  /** `tableMap`: from `encodeTableMap`. */
  open(change: RowChange, table: TableMap, tableMap: Buffer): void {
    this.#closeRows();
    this.#change = change;
    this.#table = table;
    this.#tableMap = tableMap;
  }

  /**
   * Copies `bytes[start, end)`: one image, of an update the before and the after image. Throws
   * STATEMENT_FAILED when the row alone does not fit into a statement.
   */
  row(bytes: Buffer, start: number, end: number): void {
    const table = this.#table;
    if (table === null) throw new SkyferryFailure('INTERNAL', 'a row without its table');
    const size = end - start;
    if (this.#length > 0 && this.#length + this.#overhead(table) + size > this.#maxBytes)
      this.#cut();
    if (this.#rowsStart < 0) this.#openRows(table);
    if (this.#length + size > this.#maxBytes) {
      const { schema, name } = table.name;
      throw new SkyferryFailure(
        'STATEMENT_FAILED',
        `a row change of ${schema}.${name} takes ${size} bytes: more than a statement to the target may have`,
        { next: "raise max_allowed_packet on the target, up to the server's 1 GB" },
      );
    }
    this.#reserve(size);
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length += size;
  }

  /** Bytes of events that wait to be taken. */
  get pendingBytes(): number {
    return this.#bytesTaken + this.#length;
  }

  /** The statements since the last time, in the order in which they must be run. */
  take(): string[] {
    this.#cut();
    const statements = this.#statements;
    this.#statements = [];
    this.#bytesTaken = 0;
    this.#table = null;
    return statements;
  }

  #overhead(table: TableMap): number {
    return this.#rowsStart >= 0 ? 0 : this.#tableMap.length + rowsHeaderLength(table, this.#change);
  }

  #openRows(table: TableMap): void {
    this.#reserve(this.#overhead(table));
    this.#length += this.#tableMap.copy(this.#buffer, this.#length);
    this.#rowsStart = this.#length;
    this.#length = writeRowsHeader(this.#buffer, this.#length, table, this.#change);
  }

  #closeRows(): void {
    if (this.#rowsStart < 0) return;
    this.#buffer.writeUInt32LE(this.#length - this.#rowsStart, this.#rowsStart + 9);
    this.#rowsStart = -1;
  }

  #cut(): void {
    this.#closeRows();
    if (this.#length === 0) return;
    this.#statements.push(binlogStatement(this.#buffer.subarray(0, this.#length)));
    this.#bytesTaken += this.#length;
    this.#length = 0;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const codes = {
  insert: eventCodes.writeRows,
  update: eventCodes.updateRows,
  delete: eventCodes.deleteRows,
} as const;

/** Table id, flags, length of the extra data. */
const ROWS_POST_HEADER = 10;

function rowsHeaderLength(table: TableMap, change: RowChange): number {
  const bitmaps = table.bitmapLength * (change === 'update' ? 2 : 1);
  return HEADER_LENGTH + ROWS_POST_HEADER + packedInteger(table.columnCount).length + bitmaps;
}

function writeRowsHeader(
  buffer: Buffer,
  start: number,
  table: TableMap,
  change: RowChange,
): number {
  writeHeader(buffer, start, codes[change], 0);
  let at = start + HEADER_LENGTH;
  table.body.copy(buffer, at, 0, 6);
  buffer.writeUInt16LE(rowsFlags.endOfStatement | rowsFlags.noForeignKeyChecks, at + 6);
  const NO_EXTRA_DATA = 2;
  buffer.writeUInt16LE(NO_EXTRA_DATA, at + 8);
  at += ROWS_POST_HEADER;
  for (const byte of packedInteger(table.columnCount)) buffer[at++] = byte;
  const bitmaps = table.bitmapLength * (change === 'update' ? 2 : 1);
  buffer.fill(0xff, at, at + bitmaps);
  return at + bitmaps;
}

function writeHeader(buffer: Buffer, start: number, code: number, length: number): void {
  buffer.fill(0, start, start + HEADER_LENGTH);
  // A timestamp of 0 would end up as the session's time for the rows.
  buffer.writeUInt32LE(1, start);
  buffer[start + 4] = code;
  buffer.writeUInt32LE(1, start + 5);
  buffer.writeUInt32LE(length, start + 9);
}

function encodeName(name: string): Buffer {
  const bytes = Buffer.from(name);
  return Buffer.concat([Buffer.from([bytes.length]), bytes, Buffer.from([0])]);
}
