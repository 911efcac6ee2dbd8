import type { SyncView } from '../../clouds/azure/data-migration/task-view.ts';
import type { CopyResult } from '../../copy/copy-tables.ts';
import type { Catalog, Table } from '../../mysql/catalog/types.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { CopyProgress } from '../../workflows/messages.ts';

interface Loading {
  readonly table: Table;
  rows: number;
  estimatedRows: number;
  done: boolean;
  startedAt: number;
  endedAt: number;
}

/**
 * The service's counters of each table as Skyferry's own progress. It counts no bytes: those are the
 * source's estimate, in proportion to the rows.
 */
export class LoadedTables {
  readonly #tables: readonly Loading[];

  constructor(catalog: Catalog) {
    this.#tables = catalog.tables.map((table) => ({
      table,
      rows: 0,
      estimatedRows: table.estimatedRows,
      done: false,
      startedAt: 0,
      endedAt: 0,
    }));
  }

  update({ tables }: Pick<SyncView, 'tables'>): void {
    const now = Date.now();
    const known = new Map(tables.map((each) => [keyOf(each.database, each.table), each]));
    for (const loading of this.#tables) {
      const { schema, name } = loading.table.name;
      const found = known.get(keyOf(schema, name));
      if (found === undefined) continue;
      loading.rows = found.rows;
      loading.done = found.state === 'COMPLETED';
      loading.estimatedRows = loading.done
        ? found.rows
        : Math.max(found.rows, loading.table.estimatedRows);
      if (found.state !== 'BEFORE_LOAD' && loading.startedAt === 0) loading.startedAt = now;
      if (loading.done && loading.endedAt === 0) loading.endedAt = now;
    }
  }

  /** Not loaded, as far as is known. */
  get missing(): string[] {
    return this.#tables.filter(({ done }) => !done).map(({ table }) => displayName(table.name));
  }

  progress(): CopyProgress {
    const tables = this.#tables.map((loading) => ({
      table: displayName(loading.table.name),
      rows: loading.rows,
      estimatedRows: loading.estimatedRows,
      bytes: bytesOf(loading),
      done: loading.done,
    }));
    return {
      rows: sum(tables, ({ rows }) => rows),
      bytes: sum(tables, ({ bytes }) => bytes),
      estimatedRows: sum(tables, ({ estimatedRows }) => estimatedRows),
      chunksDone: tables.filter(({ done }) => done).length,
      chunksTotal: tables.length,
      tables,
    };
  }

  result(): CopyResult {
    const tables = this.#tables.map((loading) => ({
      table: displayName(loading.table.name),
      rows: loading.rows,
      bytes: bytesOf(loading),
      seconds: Math.max(0, loading.endedAt - loading.startedAt) / 1000,
      documentsAsText: 0,
    }));
    return {
      rows: sum(tables, ({ rows }) => rows),
      bytes: sum(tables, ({ bytes }) => bytes),
      tables,
    };
  }
}

function bytesOf({ rows, done, table: { estimatedRows, estimatedBytes } }: Loading): number {
  if (rows === 0) return 0;
  if (done || estimatedRows === 0) return estimatedBytes;
  return Math.round(estimatedBytes * Math.min(1, rows / estimatedRows));
}

/** The service takes no names that differ by their case alone. */
function keyOf(schema: string, table: string): string {
  return `${schema}.${table}`.toLowerCase();
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((n, value) => n + of(value), 0);
}
