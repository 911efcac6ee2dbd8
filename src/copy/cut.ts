import type { Column, Table } from '../mysql/catalog/types.ts';
import { qualify, quoteIdentifier } from '../mysql/identifier.ts';
import { literal } from '../mysql/literal.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import type { KeyRange } from './key-range.ts';
import { after, boundColumns, wholeTable } from './key-range.ts';

const CHUNK_BYTES = 64 * 1024 * 1024;
const MIN_CHUNK_ROWS = 1_000;
/** How many times emptier than dense an integer key may be to be cut by arithmetic. */
const MAX_SPREAD = 4n;

/** Rows of a chunk: as wished, fewer where rows are wide, so that a transaction stays small. */
export function rowsPerChunk(table: Table, chunkRows: number): number {
  if (table.estimatedRows === 0) return chunkRows;
  const rowBytes = Math.max(1, table.estimatedBytes / table.estimatedRows);
  return Math.max(
    1,
    Math.min(chunkRows, Math.max(MIN_CHUNK_ROWS, Math.floor(CHUNK_BYTES / rowBytes))),
  );
}

/**
 * Cuts a table into ranges of about `rows` rows that together cover every key there can be. `from` is the
 * upper bound of the last range of an earlier, unfinished cut. The source session must give strings as
 * stored (character_set_results = NULL).
 */
export async function* cutTable(
  source: RawConnection,
  table: Table,
  rows: number,
  from: readonly string[] | null,
): AsyncGenerator<KeyRange[]> {
  const columns = boundColumns(table);
  const [only] = columns;
  if (only === undefined) {
    yield [wholeTable];
    return;
  }
  if (from === null && columns.length === 1 && table.rowKey?.columns.length === 1) {
    const ranges = await cutIntegers(source, table, only, rows);
    if (ranges !== null) {
      yield ranges;
      return;
    }
  }
  yield* walk(source, table, columns, rows, from);
}

const integerTypes = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

/**
 * A dense integer key needs no scan: a range of n values holds at most n rows, however they are spread.
 * null: not an integer, or too sparse.
 */
async function cutIntegers(
  source: RawConnection,
  table: Table,
  column: Column,
  rows: number,
): Promise<KeyRange[] | null> {
  if (!integerTypes.has(column.dataType)) return null;
  const name = quoteIdentifier(column.name);
  const [row] = await source.rows(`SELECT MIN(${name}), MAX(${name}) FROM ${qualify(table.name)}`);
  const [min, max] = row ?? [];
  if (!min || !max) return [wholeTable];
  const first = BigInt(min.toString());
  const last = BigInt(max.toString());
  const values = last - first + 1n;
  const estimated = BigInt(Math.max(1, Math.round(table.estimatedRows)));
  const wished = BigInt(rows);
  if (values > MAX_SPREAD * estimated && values > MAX_SPREAD * wished) return null;
  const spread = (values + estimated - 1n) / estimated;
  const width = wished * (spread < 1n ? 1n : spread > MAX_SPREAD ? MAX_SPREAD : spread);
  const ranges: KeyRange[] = [];
  let lower: readonly string[] | null = null;
  for (let upper = first + width - 1n; upper < last; upper += width) {
    const bound: readonly string[] = [String(upper)];
    ranges.push({ lower, upper: bound });
    lower = bound;
  }
  return [...ranges, { lower, upper: null }];
}

/** Steps through the key's index: every `rows`-th entry is a bound. */
async function* walk(
  source: RawConnection,
  table: Table,
  columns: readonly Column[],
  rows: number,
  from: readonly string[] | null,
): AsyncGenerator<KeyRange[]> {
  const names = columns.map((column) => quoteIdentifier(column.name));
  const order = (table.rowKey?.columns ?? []).map(quoteIdentifier).join(', ');
  const index = quoteIdentifier(table.rowKey?.index ?? 'PRIMARY');
  let lower = from;
  for (;;) {
    const where = lower === null ? '' : ` WHERE ${after(names, lower).join(' AND ')}`;
    const [row] = await source.rows(
      `SELECT ${names.join(', ')} FROM ${qualify(table.name)} FORCE INDEX (${index})${where}` +
        ` ORDER BY ${order} LIMIT 1 OFFSET ${rows - 1}`,
    );
    const upper: string[] | null =
      row === undefined ? null : columns.map((column, i) => literal(column, row[i] ?? null));
    // A bound that does not move on would go on for ever; the rest in one piece is right as well.
    if (upper === null || upper.join() === lower?.join()) {
      yield [{ lower, upper: null }];
      return;
    }
    yield [{ lower, upper }];
    lower = upper;
  }
}
