import type { RowChange } from '../mysql/binlog/events.ts';
import type { BinlogStatementWriter } from '../mysql/binlog/write-events.ts';
import { encodeTableMap } from '../mysql/binlog/write-events.ts';
import type { Batch, Images, Segment, TableChanges } from './batch.ts';
import { MergedChanges } from './batch.ts';
import type { ReplicatedTable } from './replicated-tables.ts';

/** Larger statements make nothing faster; a single row may take more. */
const STATEMENT_BYTES = 2 << 20;
/** Without a key each run may read the whole table: one statement of many would be silent for hours. */
const SCANS_A_STATEMENT = 10;

/**
 * A segment's row changes as BINLOG statements. `idempotent` ones set rows by their key, whatever was
 * there; `strict` ones (tables without a row key) must find each row that they change.
 */
export function segmentStatements(
  { arena }: Batch,
  segment: Segment,
  writer: BinlogStatementWriter,
): { idempotent: string[]; strict: string[] } {
  const idempotent = new Statements(writer, arena.bytes);
  const strict = new Statements(writer, arena.bytes);
  for (const [table, changes] of segment.tables) {
    if (!(changes instanceof MergedChanges)) continue;
    const { deletes, writes } = changes.images();
    idempotent.add('delete', table, changes, deletes);
    idempotent.add('insert', table, changes, writes);
  }
  const first = idempotent.finish();
  for (const [table, changes] of segment.tables) {
    if (changes instanceof MergedChanges) continue;
    for (const [i, { change, images }] of changes.runs.entries()) {
      if (i % SCANS_A_STATEMENT === 0) strict.cut();
      strict.add(change, table, changes, images);
    }
  }
  return { idempotent: first, strict: strict.finish() };
}

class Statements {
  readonly #writer: BinlogStatementWriter;
  readonly #bytes: Buffer;
  readonly #done: string[] = [];

  constructor(writer: BinlogStatementWriter, bytes: Buffer) {
    this.#writer = writer;
    this.#bytes = bytes;
  }

  add(change: RowChange, { target }: ReplicatedTable, { shape }: TableChanges, images: Images) {
    if (images.length === 0) return;
    const tableMap = encodeTableMap(shape, target);
    this.#writer.open(change, shape, tableMap);
    for (let i = 0; i < images.length; i += 2) {
      this.#writer.row(this.#bytes, images[i]!, images[i + 1]!);
      if (this.#writer.pendingBytes < STATEMENT_BYTES) continue;
      this.cut();
      this.#writer.open(change, shape, tableMap);
    }
  }

  cut(): void {
    this.#done.push(...this.#writer.take());
  }

  finish(): string[] {
    this.cut();
    return this.#done;
  }
}
