import { SkyferryFailure } from '../failures.ts';
import type { Column, Table } from '../mysql/catalog/types.ts';
import { qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';

import { valueLiteral } from '../replicate/key-text.ts';

/** A key column's value in the text protocol's form, FLOAT with all of its digits; keys are never NULL. */
export type KeyValue = Buffer;

/** How the rows of one table are read for a comparison; the same expressions on both servers. */
export interface RowForm {
  readonly table: Table;
  readonly keyColumns: readonly Column[];
  /** Every column, generated and invisible ones too. */
  readonly columns: string;
  /** The key's columns, in the form that `valueLiteral` takes; null: the table has no key. */
  readonly key: string | null;
  /** The key's columns, for ORDER BY; empty: the table has no key. */
  readonly orderBy: string;
  /** `schema`.`table` on each side. */
  readonly name: { readonly source: string; readonly target: string };
  /** The same with FORCE INDEX on the key. */
  readonly from: { readonly source: string; readonly target: string };
}

export type Side = 'source' | 'target';

export function rowForm(table: Table, lowerCaseTableNames: number): RowForm {
  const keyColumns = (table.rowKey?.columns ?? []).map((name) => columnOf(table, name));
  const hint = table.rowKey === null ? '' : ` FORCE INDEX (${quoteIdentifier(table.rowKey.index)})`;
  const names = {
    source: qualify(table.name),
    target: qualify(spelledOn(table.name, lowerCaseTableNames)),
  };
  return {
    table,
    keyColumns,
    columns: table.columns.flatMap(columnExpressions).join(', '),
    key: table.rowKey === null ? null : keyColumns.map(keyExpression).join(', '),
    orderBy: keyColumns.map(({ name }) => quoteIdentifier(name)).join(', '),
    name: names,
    from: { source: names.source + hint, target: names.target + hint },
  };
}

function columnExpressions(column: Column): string[] {
  const name = quoteIdentifier(column.name);
  switch (column.dataType) {
    case 'float':
      // A FLOAT's text has six digits; times one in DOUBLE it has all of them, and keeps the sign of zero.
      return [`${name} * 1e0`];
    case 'double':
      // DOUBLE(M,D) shows D decimals only.
      return [column.columnType.includes('(') ? `${name} * 1e0` : name];
    case 'enum':
    case 'set':
      // The empty string may be a member or the value of an error: only the number tells.
      return /[(,]''[,)]/.test(column.columnType) ? [name, `${name} + 0`] : [name];
    default:
      return [name];
  }
}

/** ENUM and SET by their number, as the binlog has them. */
function keyExpression(column: Column): string {
  return isLabelled(column)
    ? `${quoteIdentifier(column.name)} + 0`
    : (columnExpressions(column)[0] ?? quoteIdentifier(column.name));
}

const isLabelled = ({ dataType }: Column): boolean => dataType === 'enum' || dataType === 'set';

/** `a = x AND b = y` */
export function equalsKey(columns: readonly Column[], values: readonly KeyValue[]): string {
  return columns
    .map(
      (column, i) =>
        `${quoteIdentifier(column.name)} = ${valueLiteral(column, valueAt(values, i))}`,
    )
    .join(' AND ');
}

/** For people and report files. */
export function describeKey(form: RowForm, values: readonly KeyValue[]): string {
  return form.keyColumns
    .map((column, i) => `${column.name}=${describeValue(column, valueAt(values, i))}`)
    .join(', ');
}

function describeValue(column: Column, value: KeyValue): string {
  const text = value.toString('utf8');
  const readable =
    column.dataType !== 'bit' &&
    !/binary|blob/.test(column.dataType) &&
    Buffer.from(text, 'utf8').equals(value) &&
    !/\p{Cc}/u.test(text);
  return readable ? text : `0x${value.toString('hex')}`;
}

function columnOf(table: Table, name: string): Column {
  const column = table.columns.find((c) => c.name.toLowerCase() === name.toLowerCase());
  if (column === undefined) {
    throw new SkyferryFailure('INTERNAL', `the catalog lacks column ${name} of a key`);
  }
  return column;
}

function valueAt(values: readonly KeyValue[], i: number): KeyValue {
  const value = values[i];
  if (value === undefined) throw new SkyferryFailure('INTERNAL', 'a key has too few values');
  return value;
}
