import type { QualifiedName } from '../identifier.ts';
import type { Width } from './column-types.ts';
import { metadataLength, widthOf } from './column-types.ts';
import type { Cursor } from './integers.ts';
import { readPacked, uint48 } from './integers.ts';
import { corrupt, unsupported } from './problems.ts';

/**
 * The shape of the row images of one table, as its TABLE_MAP event gives it. The stream hands out the
 * same object for as long as the shape and the table id stay, so it can be a map's key.
 */
export class TableMap {
  /** Unique within one binlog file; another one after every DDL. */
  readonly id: number;
  /** As the source spells it. */
  readonly name: QualifiedName;
  readonly columnCount: number;
  readonly types: readonly number[];
  /** By column: the metadata bytes, the first in the low half. */
  readonly metadata: readonly number[];
  /** Bytes of a bitmap over all columns. */
  readonly bitmapLength: number;
  /** The event's body, without header and checksum: an own copy. */
  readonly body: Buffer;
  /** Where in the body the names end, so that they can be replaced. */
  readonly namesEnd: number;
  readonly #widths: readonly Width[];
  readonly #fixed: Int32Array;
  readonly #prefix: Int32Array;
  /** For rows without a NULL: bytes to skip, then the size of a length prefix (0 at the end). */
  readonly #strides: Int32Array;
  readonly #lastBitmapMask: number;
  /** 1-based position of a column whose type is not known, 0: none. */
  readonly #unknownColumn: number;

  constructor(event: Buffer, start: number, end: number) {
    const body = Buffer.from(event.subarray(start, end));
    const cursor = { at: 8 };
    this.id = uint48(body, 0);
    this.name = { schema: readName(body, cursor), name: readName(body, cursor) };
    this.namesEnd = cursor.at;
    this.columnCount = readPacked(body, cursor);
    if (!(this.columnCount > 0 && cursor.at + this.columnCount <= body.length)) {
      throw corrupt('a TABLE_MAP event is cut off');
    }
    this.types = [...body.subarray(cursor.at, cursor.at + this.columnCount)];
    cursor.at += this.columnCount;
    const metadataBytes = readPacked(body, cursor);
    this.bitmapLength = (this.columnCount + 7) >> 3;
    // Behind the bitmap comes what `binlog_row_metadata` adds: nothing of it changes how rows are laid out.
    if (!(cursor.at + metadataBytes + this.bitmapLength <= body.length)) {
      throw corrupt('a TABLE_MAP event is cut off');
    }
    this.body = body;
    this.metadata = readMetadata(this.types, body, cursor.at);
    this.#widths = this.types.map((type, i) => widthOf(type, this.metadata[i] ?? 0));
    this.#unknownColumn = this.#widths.findIndex(({ type }) => type === null) + 1;
    this.#fixed = Int32Array.from(this.#widths, (width) => width.fixed);
    this.#prefix = Int32Array.from(this.#widths, (width) => width.prefix);
    this.#strides = makeStrides(this.#widths);
    // Bits beyond the last column are set by some server versions and not by others.
    this.#lastBitmapMask = 0xff >> (this.bitmapLength * 8 - this.columnCount);
  }

  /** The real type of a column: ENUM and SET are told from CHAR. */
  realType(column: number): number {
    const type = this.#widths[column]?.type;
    if (type === undefined || type === null) throw this.#unknownType();
    return type;
  }

  /** Throws BINLOG_UNSUPPORTED when a column's type is not known; then no row can be walked. */
  checkTypes(): void {
    if (this.#unknownColumn > 0) throw this.#unknownType();
  }

  sameBody(event: Buffer, start: number, end: number): boolean {
    return this.body.compare(event, start, end) === 0;
  }

  /** All columns are present in an image's columns bitmap. */
  isComplete(bytes: Buffer, bitmap: number): boolean {
    const last = this.bitmapLength - 1;
    for (let i = 0; i < last; i++) if (bytes[bitmap + i] !== 0xff) return false;
    return (bytes[bitmap + last]! & this.#lastBitmapMask) === this.#lastBitmapMask;
  }

  /**
   * Where the row image that begins at `start` (with its NULL bitmap) ends. Of an image that is cut
   * off, anything beyond the true end: the caller compares with the event's end.
   */
  imageEnd(bytes: Buffer, start: number): number {
    if (!this.#hasNull(bytes, start)) {
      let at = start + this.bitmapLength;
      const strides = this.#strides;
      for (let i = 0; ; i += 2) {
        at += strides[i]!;
        const prefix = strides[i + 1]!;
        if (prefix === 0) return at;
        at += prefix + lengthAt(bytes, at, prefix);
      }
    }
    return this.#walk(bytes, start, this.columnCount, null);
  }

  /**
   * Writes where the values of the first `columns` columns lie, without length prefixes, into
   * `bounds`: begin at 2i, end at 2i+1, both -1 for NULL. Returns where the last of them ends.
   */
  locate(bytes: Buffer, start: number, columns: number, bounds: Int32Array): number {
    return this.#walk(bytes, start, columns, bounds);
  }

  #walk(bytes: Buffer, start: number, columns: number, bounds: Int32Array | null): number {
    let at = start + this.bitmapLength;
    for (let i = 0; i < columns; i++) {
      let begin = -1;
      let end = -1;
      if (((bytes[start + (i >> 3)]! >> (i & 7)) & 1) === 0) {
        const prefix = this.#prefix[i]!;
        begin = at + prefix;
        end = begin + (prefix === 0 ? this.#fixed[i]! : lengthAt(bytes, at, prefix));
        at = end;
      }
      if (bounds !== null) {
        bounds[2 * i] = begin;
        bounds[2 * i + 1] = end;
      }
    }
    return at;
  }

  #hasNull(bytes: Buffer, bitmap: number): boolean {
    const last = this.bitmapLength - 1;
    for (let i = 0; i < last; i++) if (bytes[bitmap + i] !== 0) return true;
    return (bytes[bitmap + last]! & this.#lastBitmapMask) !== 0;
  }

  #unknownType() {
    const { schema, name } = this.name;
    const type = this.types[this.#unknownColumn - 1];
    return unsupported(`column ${this.#unknownColumn} of ${schema}.${name} has type ${type}`);
  }
}

function readBytes(body: Buffer, cursor: Cursor): Buffer {
  const length = readPacked(body, cursor);
  const start = cursor.at;
  cursor.at += length;
  return body.subarray(start, cursor.at);
}

/** A length, the text, a zero byte. */
function readName(body: Buffer, cursor: Cursor): string {
  const name = readBytes(body, cursor).toString('utf8');
  cursor.at += 1;
  return name;
}

function readMetadata(types: readonly number[], body: Buffer, start: number): number[] {
  let at = start;
  let known = true;
  return types.map((type) => {
    const length = metadataLength(type);
    // After an unknown type nothing can be told: such a table is refused when its rows are walked.
    if (length === null || !known) {
      known = false;
      return 0;
    }
    const value = length === 0 ? 0 : body[at]! | (length === 2 ? body[at + 1]! << 8 : 0);
    at += length;
    return value;
  });
}

function makeStrides(widths: readonly Width[]): Int32Array {
  const strides: number[] = [];
  let skip = 0;
  for (const { fixed, prefix } of widths) {
    if (prefix === 0) {
      skip += fixed;
    } else {
      strides.push(skip, prefix);
      skip = 0;
    }
  }
  strides.push(skip, 0);
  return Int32Array.from(strides);
}

function lengthAt(bytes: Buffer, at: number, prefix: number): number {
  const first = bytes[at]!;
  if (prefix === 1) return first;
  const second = first | (bytes[at + 1]! << 8);
  if (prefix === 2) return second;
  const third = second | (bytes[at + 2]! << 16);
  return prefix === 3 ? third : third + bytes[at + 3]! * 0x100_0000;
}
