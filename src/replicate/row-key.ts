import { columnTypes } from '../mysql/binlog/column-types.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';

/** Tells rows of one table apart, as a map's key. */
export type RowKeyValue = number | string;
export type RowKeyReader = (bytes: Buffer, start: number) => RowKeyValue;

/**
 * Reads the bytes of the key's columns from a row image. Keys that the server holds for equal but whose
 * bytes differ ('a' and 'A' without case, -0 and 0) are two keys here: a batch deletes before it
 * writes, and of such a class at most one key can be a written one at the end of a batch, because on
 * the source the one row had to go before the other could come. So the class ends as on the source.
 */
export function rowKeyReader(shape: TableMap, columns: readonly number[]): RowKeyReader {
  const walked = Math.max(...columns) + 1;
  const bounds = new Int32Array(2 * walked);
  const [first = 0] = columns;
  if (columns.length === 1 && integers.has(shape.realType(first))) {
    return (bytes, start) => {
      shape.locate(bytes, start, walked, bounds);
      return integerKey(bytes, bounds[2 * first]!, bounds[2 * first + 1]!);
    };
  }
  if (columns.length === 1) {
    return (bytes, start) => {
      shape.locate(bytes, start, walked, bounds);
      return bytes.toString('latin1', bounds[2 * first], bounds[2 * first + 1]);
    };
  }
  return (bytes, start) => {
    shape.locate(bytes, start, walked, bounds);
    let key = '';
    for (const column of columns) {
      const begin = bounds[2 * column]!;
      const end = bounds[2 * column + 1]!;
      // Lengths keep ('ab','c') and ('a','bc') apart.
      key += `${end - begin}:${bytes.toString('latin1', begin, end)}`;
    }
    return key;
  };
}

const integers = new Set<number>([
  columnTypes.tiny,
  columnTypes.short,
  columnTypes.int24,
  columnTypes.long,
  columnTypes.longlong,
]);

/** Numbers hash fastest; what does not fit exactly stays text. All keys of one column have one length. */
function integerKey(bytes: Buffer, begin: number, end: number): RowKeyValue {
  if (end - begin <= 6) return bytes.readUIntLE(begin, end - begin);
  const high = bytes.readUInt32LE(begin + 4);
  if (high >= 0x20_0000) return bytes.toString('latin1', begin, end);
  return high * 0x1_0000_0000 + bytes.readUInt32LE(begin);
}
