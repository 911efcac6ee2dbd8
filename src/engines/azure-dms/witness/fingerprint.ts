import { hash } from 'node:crypto';
import type { TableMap } from '../../../mysql/binlog/table-map.ts';
import type { Column, Table } from '../../../mysql/catalog/types.ts';
import { keyTextOf, readableKey, toKeyText } from '../../../replicate/key-text.ts';

/** A row's state as far as the binlog and a SELECT spell it alike. */
export type Fingerprint = string;

/** The row is not there. */
export const ABSENT: Fingerprint = '';

/**
 * Columns whose value in the binlog and in a SELECT are the same bytes. Two states that differ in other
 * columns alone (JSON, floating point, long text) have one fingerprint.
 */
const exact = new Set(
  'tinyint smallint mediumint int bigint decimal date datetime timestamp time year char varchar binary varbinary enum set'.split(
    ' ',
  ),
);

export class Fingerprints {
  /** Select items; `ofSelected` takes their values. */
  readonly items: readonly string[];
  readonly #table: Table;
  readonly #numbers: readonly number[];
  readonly #columns: readonly Column[];

  constructor(table: Table) {
    this.#table = table;
    this.#numbers = table.columns.flatMap((column, i) => (isExact(column) ? [i] : []));
    this.#columns = table.columns.filter(isExact);
    this.items = this.#columns.map(readableKey);
  }

  ofImage(shape: TableMap, bytes: Buffer, start: number): Fingerprint {
    const numbers = this.#numbers;
    return digest(numbers.length === 0 ? [] : keyTextOf(this.#table, shape, numbers, bytes, start));
  }

  ofSelected(values: readonly (Buffer | null)[]): Fingerprint {
    return digest(
      this.#columns.map((column, i) => toKeyText(column, values[i]?.toString('latin1'))),
    );
  }
}

function isExact({ dataType, columnType }: Column): boolean {
  return exact.has(dataType) && !columnType.includes('zerofill');
}

function digest(values: readonly (Buffer | null)[]): Fingerprint {
  const pieces = values.flatMap((value) =>
    value === null ? [Buffer.from('-')] : [Buffer.from(`${value.length}:`), value],
  );
  return hash('sha256', Buffer.concat(pieces), 'base64').slice(0, 16);
}
