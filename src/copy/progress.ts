import type { Table } from '../mysql/catalog/types.ts';
import { displayName } from '../mysql/identifier.ts';
import type { CopyProgress } from '../workflows/messages.ts';

/** What is known of one table while it is copied. Rows and bytes include chunks in flight. */
export interface TableCopy {
  readonly table: Table;
  rows: number;
  bytes: number;
  /** Documents of this run that hold a scalar as its text parses, because no expression makes its type. */
  documentsAsText: number;
  chunksDone: number;
  chunksTotal: number;
  cut: boolean;
  startedAt: number;
  endedAt: number;
}

export function newTableCopy(table: Table): TableCopy {
  return {
    table,
    rows: 0,
    bytes: 0,
    documentsAsText: 0,
    chunksDone: 0,
    chunksTotal: 0,
    cut: false,
    startedAt: 0,
    endedAt: 0,
  };
}

export function isDone(copy: TableCopy): boolean {
  return copy.cut && copy.chunksDone === copy.chunksTotal;
}

export function progressOf(copies: readonly TableCopy[]): CopyProgress {
  const sum = (of: (copy: TableCopy) => number) => copies.reduce((n, copy) => n + of(copy), 0);
  return {
    rows: sum((copy) => copy.rows),
    bytes: sum((copy) => copy.bytes),
    estimatedRows: sum(estimatedRows),
    chunksDone: sum((copy) => copy.chunksDone),
    chunksTotal: sum((copy) => copy.chunksTotal),
    tables: copies.map((copy) => ({
      table: displayName(copy.table.name),
      rows: copy.rows,
      estimatedRows: estimatedRows(copy),
      bytes: copy.bytes,
      done: isDone(copy),
    })),
  };
}

/** The server's estimate, until the truth is known. */
function estimatedRows(copy: TableCopy): number {
  return isDone(copy) ? copy.rows : Math.max(copy.rows, copy.table.estimatedRows);
}
