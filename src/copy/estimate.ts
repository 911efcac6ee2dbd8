import type { Table } from '../mysql/catalog/types.ts';

export interface Estimates {
  readonly rows: number;
  readonly bytes: number;
  /** Seconds, from a cautious rate; the real rate is shown once the load runs. */
  readonly loadSeconds: number;
}

/** Deliberately low: a target of four vCores loads several times as fast. */
const CAUTIOUS_BYTES_PER_SECOND = 20_000_000;

export function estimate(tables: readonly Table[]): Estimates {
  const sum = (pick: (table: Table) => number) =>
    tables.reduce((total, table) => total + pick(table), 0);
  const bytes = sum((table) => table.estimatedBytes);
  return {
    rows: sum((table) => table.estimatedRows),
    bytes,
    loadSeconds: Math.ceil(bytes / CAUTIOUS_BYTES_PER_SECOND),
  };
}
