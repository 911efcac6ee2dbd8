import type { Holder } from '../checkpoint/epoch.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import { displayName, qualify, spelledOn } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import type { Chunk } from './chunks.ts';
import { boundColumns, rangeCondition } from './key-range.ts';
import { loadRows } from './load-rows.ts';
import type { PacketPool, Pumped } from './pump.ts';
import { ascii, raiseHigh } from './raise-high.ts';

export interface ChunkLoad {
  readonly source: RawConnection;
  readonly target: RawConnection;
  readonly pool: PacketPool;
  readonly holder: Holder;
  readonly lctn: number;
  readonly table: Table;
  readonly chunk: Chunk;
  onMoved(rows: number, bytes: number): void;
  /** Documents with a scalar of a type that no expression makes: it stays as its text parses. */
  onLeft(documents: number): void;
  /** The end of the source's binlog; called once the chunk's last row has arrived. */
  readBinlogEnd(): Promise<FilePosition>;
}

/**
 * Copies one chunk of a table with a row key: rows, done mark, high watermark and epoch check commit
 * together. null: an earlier attempt had committed it after all (its answer was lost).
 */
export async function loadChunk(load: ChunkLoad): Promise<Pumped | null> {
  const { target, holder } = load;
  return inChunkTransaction(load, async () => {
    let high: FilePosition | null = null;
    const pumped = await pumpChunk(load, async () => {
      high = await load.readBinlogEnd();
    });
    await markDone(load, pumped);
    await raiseHigh(target, holder, high);
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
    await raiseHigh(target, holder, start);
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

function pumpChunk(load: ChunkLoad, afterLast: () => Promise<void>): Promise<Pumped> {
  const condition = rangeCondition(boundColumns(load.table), load.chunk.range);
  return loadRows({ ...load, what: where(load) }, condition, afterLast);
}

async function markDone(load: ChunkLoad, { rows, bytes }: Pumped): Promise<void> {
  await load.target.run(
    `UPDATE skyferry.copied_chunk SET done = 1, row_count = ${rows}, byte_count = ${bytes}
     WHERE ${chunkRow(load)}`,
  );
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

function utf8(text: string): string {
  return `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`;
}
