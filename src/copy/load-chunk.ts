import type { Holder } from '../checkpoint/store.ts';
import { epochLost } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { displayName, qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import type { Chunk } from './chunks.ts';
import type { ColumnTransfer } from './columns.ts';
import { columnTransfer } from './columns.ts';
import { boundColumns, rangeCondition } from './key-range.ts';
import type { PacketPool, Pumped } from './pump.ts';
import { pumpRows } from './pump.ts';

export interface ChunkLoad {
  readonly source: RawConnection;
  readonly target: RawConnection;
  readonly pool: PacketPool;
  readonly holder: Holder;
  readonly lctn: number;
  readonly table: Table;
  readonly chunk: Chunk;
  onMoved(rows: number, bytes: number): void;
  /** The end of the source's binlog; called once the chunk's last row has arrived. */
  readBinlogEnd(): Promise<FilePosition>;
}

/**
 * Copies one chunk of a table with a row key: rows, done mark, high watermark and epoch check commit
 * together. null: an earlier attempt had committed it after all (its answer was lost).
 */
export async function loadChunk(load: ChunkLoad): Promise<Pumped | null> {
  return inChunkTransaction(load, async () => {
    let high: FilePosition | null = null;
    const pumped = await pumpChunk(load, async () => {
      high = await load.readBinlogEnd();
    });
    await markDone(load, pumped);
    await raiseHigh(load, high);
    return pumped;
  });
}

/**
 * Copies a table without a row key whole. `snapshot` opens a consistent read on the source session and
 * says at which position; from there on the table's events are applied one by one, so that position is
 * stored with the rows. Nothing is left behind by an attempt that did not commit.
 */
export async function loadWholeTable(
  load: ChunkLoad,
  snapshot: () => Promise<FilePosition>,
  release: () => Promise<void>,
): Promise<Pumped | null> {
  const { target, table, lctn, holder } = load;
  return inChunkTransaction(load, async () => {
    await target.run(`DELETE FROM ${qualify(spelledOn(table.name, lctn))}`);
    const start = await snapshot();
    const pumped = await pumpChunk(load, release);
    await markDone(load, pumped);
    const { affectedRows } = await target.run(
      `UPDATE skyferry.copied_table SET start_file = ${ascii(start.file)}, start_offset = ${start.offset}
       WHERE ${tableRow(holder, table)}`,
    );
    if (affectedRows !== 1) {
      throw new SkyferryFailure('INTERNAL', `${where(load)}: the table is not in the checkpoint`);
    }
    await raiseHigh(load, start);
    return pumped;
  });
}

async function inChunkTransaction(
  load: ChunkLoad,
  work: () => Promise<Pumped>,
): Promise<Pumped | null> {
  const { target } = load;
  await target.run('START TRANSACTION');
  // Waits for an earlier attempt whose session is not gone yet, and says whether it had committed.
  const [row] = await target.rows(
    `SELECT done FROM skyferry.copied_chunk WHERE ${chunkRow(load)} FOR UPDATE`,
  );
  if (row === undefined) {
    throw new SkyferryFailure('INTERNAL', `${where(load)}: the chunk is not in the checkpoint`);
  }
  if (row[0]?.toString() === '1') {
    await target.run('ROLLBACK');
    return null;
  }
  try {
    const pumped = await work();
    await target.run('COMMIT');
    return pumped;
  } catch (error) {
    // Closing the session rolls back, whatever state the failure left it in.
    target.destroy();
    throw error;
  }
}

async function pumpChunk(load: ChunkLoad, afterLast: () => Promise<void>): Promise<Pumped> {
  const { source, target, table, chunk, lctn, pool } = load;
  const transfer = columnTransfer(table);
  const condition = rangeCondition(boundColumns(table), chunk.range);
  const index =
    table.rowKey === null ? '' : ` FORCE INDEX (${quoteIdentifier(table.rowKey.index)})`;
  // Computing a generated column may round, which the target notes, as the source did: that is no loss.
  const computes = table.columns.some((column) => column.generated !== null);
  await target.run(`SET SESSION sql_notes = ${computes ? 0 : 1}`);
  const result = await pumpRows(
    source,
    `SELECT ${transfer.select} FROM ${qualify(table.name)}${index}${condition && ` WHERE ${condition}`}`,
    target,
    `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${qualify(spelledOn(table.name, lctn))}` +
      ` CHARACTER SET binary FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\'` +
      ` LINES TERMINATED BY '\\n' STARTING BY '' ${transfer.load}`,
    pool,
    (rows, bytes) => load.onMoved(rows, bytes),
    afterLast,
  );
  if (result.warnings > 0) await explainWarnings(load, transfer, condition);
  if (result.affectedRows !== result.rows) {
    throw inexact(load, `${result.rows} rows were read, ${result.affectedRows} were stored`);
  }
  return { rows: result.rows, bytes: result.bytes };
}

/**
 * LOAD DATA LOCAL turns every error into a warning, so a warning means inexact rows, with one exception:
 * an ENUM without a member (value 0) cannot be stored without one. Those are counted.
 */
async function explainWarnings(
  load: ChunkLoad,
  transfer: ColumnTransfer,
  condition: string,
): Promise<void> {
  const { target, table, lctn } = load;
  const listed = await target.rows('SHOW WARNINGS');
  // The answer's own count has 16 bits, and the list ends at max_error_count.
  const [total] = await target.rows('SHOW COUNT(*) WARNINGS');
  const codes = [...new Set(listed.map((warning) => warning[1]?.toString() ?? '?'))];
  if (transfer.enums.length > 0 && codes.length === 1 && codes[0] === DATA_TRUNCATED) {
    const zeros = transfer.enums.map((name) => `COALESCE(SUM(${quoteIdentifier(name)} = 0), 0)`);
    const [row] = await target.rows(
      `SELECT ${zeros.join(' + ')} FROM ${qualify(spelledOn(table.name, lctn))}${condition && ` WHERE ${condition}`}`,
    );
    if (Number(row?.[0]?.toString()) === Number(total?.[0]?.toString())) return;
  }
  throw inexact(load, `${total?.[0]?.toString()} warnings (codes ${codes.join(', ')})`);
}

const DATA_TRUNCATED = '1265';

async function markDone(load: ChunkLoad, { rows, bytes }: Pumped): Promise<void> {
  await load.target.run(
    `UPDATE skyferry.copied_chunk SET done = 1, row_count = ${rows}, byte_count = ${bytes}
     WHERE ${chunkRow(load)}`,
  );
}

/**
 * Last before the commit, because every chunk locks this one row. The assignment to updated_at always
 * changes it, so changed and matched rows are the same count.
 */
async function raiseHigh(
  { target, holder }: ChunkLoad,
  position: FilePosition | null,
): Promise<void> {
  if (position === null) throw new SkyferryFailure('INTERNAL', 'a chunk without a watermark');
  const stored = `CAST(SUBSTRING_INDEX(high_file, '.', -1) AS UNSIGNED)`;
  const here = String(Number(position.file.slice(position.file.lastIndexOf('.') + 1)));
  // Assignments run from left to right: the offset is chosen while high_file is still the former one.
  const { affectedRows } = await target.run(
    `UPDATE skyferry.migration SET
       high_offset = IF(high_file IS NULL OR ${stored} < ${here}, ${position.offset},
                     IF(${stored} = ${here}, GREATEST(high_offset, ${position.offset}), high_offset)),
       high_file = IF(high_file IS NULL OR ${stored} < ${here}, ${ascii(position.file)}, high_file),
       updated_at = GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)
     WHERE name = ${ascii(holder.name)} AND epoch = ${holder.epoch}`,
  );
  if (affectedRows !== 1) throw epochLost(holder);
}

function inexact(load: ChunkLoad, what: string): SkyferryFailure {
  return new SkyferryFailure('COPY_INEXACT', `${where(load)}: ${what}`, {
    safe: 'the chunk was rolled back; the source was only read',
    next: 'compare the definitions of the table on both servers, then retry the phase',
  });
}

function where({ table, chunk }: ChunkLoad): string {
  return `${displayName(table.name)}, chunk ${chunk.number}`;
}

function chunkRow({ holder, table, chunk }: ChunkLoad): string {
  return `${tableRow(holder, table)} AND chunk = ${chunk.number}`;
}

function tableRow(holder: Holder, { name }: Table): string {
  return (
    `migration = ${ascii(holder.name)} AND schema_name = ${utf8(name.schema)}` +
    ` AND table_name = ${utf8(name.name)}`
  );
}

function ascii(text: string): string {
  return `_ascii x'${Buffer.from(text, 'latin1').toString('hex')}'`;
}

function utf8(text: string): string {
  return `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`;
}
