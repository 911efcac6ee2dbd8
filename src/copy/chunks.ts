import { assertEpoch } from '../checkpoint/epoch.ts';
import type { Holder } from '../checkpoint/epoch.ts';
import type { Connection, Value } from '../mysql/connection.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import type { KeyRange } from './key-range.ts';

/** A piece of a table as recorded in skyferry.copied_chunk: cut once, so that a resumed copy repeats the same. */
export interface Chunk {
  readonly number: number;
  readonly range: KeyRange;
  readonly done: boolean;
  readonly rows: number;
  readonly bytes: number;
}

export interface TableChunks {
  /** Whether the chunks cover the whole table already. */
  readonly cut: boolean;
  /** By number, from 0. */
  readonly chunks: readonly Chunk[];
}

export async function readChunks(
  target: Connection,
  migration: string,
  table: QualifiedName,
): Promise<TableChunks> {
  const at = [migration, table.schema, table.name];
  const [row] = await target.query(
    'SELECT chunks FROM skyferry.copied_table WHERE migration = ? AND schema_name = ? AND table_name = ?',
    at,
  );
  const rows = await target.query(
    `SELECT chunk, CAST(bounds AS CHAR) AS bounds, done, row_count, byte_count FROM skyferry.copied_chunk
     WHERE migration = ? AND schema_name = ? AND table_name = ? ORDER BY chunk`,
    at,
  );
  return {
    cut: row !== undefined && row['chunks'] !== null,
    chunks: rows.map((r) => ({
      number: Number(r['chunk']),
      range: JSON.parse(String(r['bounds'])) as KeyRange,
      done: Number(r['done']) === 1,
      rows: Number(r['row_count']),
      bytes: Number(r['byte_count']),
    })),
  };
}

const ROWS_PER_INSERT = 500;

/** Adds chunks as they are cut, under the epoch, and the table's own row with the first of them. */
export async function addChunks(
  target: Connection,
  holder: Holder,
  table: QualifiedName,
  first: number,
  ranges: readonly KeyRange[],
): Promise<void> {
  await underEpoch(target, holder, async () => {
    await target.execute(
      'INSERT IGNORE INTO skyferry.copied_table (migration, schema_name, table_name) VALUES (?, ?, ?)',
      [holder.name, table.schema, table.name],
    );
    for (let i = 0; i < ranges.length; i += ROWS_PER_INSERT) {
      const part = ranges.slice(i, i + ROWS_PER_INSERT);
      const values = part.flatMap((range, j): Value[] => [
        holder.name,
        table.schema,
        table.name,
        first + i + j,
        JSON.stringify(range),
      ]);
      await target.execute(
        `INSERT INTO skyferry.copied_chunk (migration, schema_name, table_name, chunk, bounds)
         VALUES ${part.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
        values,
      );
    }
  });
}

export async function markCut(
  target: Connection,
  holder: Holder,
  table: QualifiedName,
  chunks: number,
): Promise<void> {
  await underEpoch(target, holder, async () => {
    await target.execute(
      `UPDATE skyferry.copied_table SET chunks = ?
       WHERE migration = ? AND schema_name = ? AND table_name = ?`,
      [chunks, holder.name, table.schema, table.name],
    );
  });
}

async function underEpoch(
  target: Connection,
  holder: Holder,
  write: () => Promise<void>,
): Promise<void> {
  await target.query('START TRANSACTION');
  try {
    await write();
    await assertEpoch(target, holder);
    await target.query('COMMIT');
  } catch (error) {
    await target.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
