import { decodeValue } from '../mysql/binlog/decode.ts';
import type { TableMap } from '../mysql/binlog/table-map.ts';
import type { Column, Table } from '../mysql/catalog/types.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';
import { literal } from '../mysql/literal.ts';
import type { KeyText } from './cascade.ts';
import type { CascadingKey } from './replicated-tables.ts';

/** Some columns of a row image, byte for byte in the text protocol's form; ENUM and SET as numbers. */
export function keyTextOf(
  table: Table,
  shape: TableMap,
  columns: readonly number[],
  bytes: Buffer,
  start: number,
): KeyText {
  const walked = Math.max(...columns) + 1;
  const bounds = new Int32Array(2 * walked);
  shape.locate(bytes, start, walked, bounds);
  return columns.map((column) => {
    const { unsigned, dataType } = table.columns[column]!;
    const facts = { unsigned, binary: dataType === 'binary' };
    return decodeValue(shape, column, facts, bytes, bounds[2 * column]!, bounds[2 * column + 1]!);
  });
}

export function sameKey(a: KeyText, b: KeyText): boolean {
  return a.every((text, i) => {
    const other = b[i] ?? null;
    return text === null || other === null ? text === other : text.equals(other);
  });
}

/** A condition that the children of that parent meet. */
export function childPredicate(key: CascadingKey, parent: KeyText): string {
  const conditions = key.childColumns.map((column, i) => {
    const definition = key.child.table.columns[column]!;
    // The literal is of the parent's type and character set; they are the child's own by the rules of keys.
    const referenced = key.parent.table.columns[key.parentColumns[i]!]!;
    return `${quoteIdentifier(definition.name)} = ${valueLiteral(referenced, parent[i] ?? null)}`;
  });
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' AND ')})`;
}

export function valueLiteral(column: Column, text: Buffer | null): string {
  return isLabelled(column) && text !== null
    ? BigInt(text.toString('latin1')).toString()
    : literal(column, text);
}

/** A select item that `toKeyText` understands: strings as hexadecimal digits, so that no character set touches them. */
export function readableKey(column: Column): string {
  const name = quoteIdentifier(column.name);
  if (isLabelled(column)) return `CAST(${name} + 0 AS CHAR)`;
  // A FLOAT's own text has six digits, and equals it no more.
  if (column.dataType === 'float') return `CAST(${name} * 1e0 AS CHAR)`;
  return plainTypes.has(column.dataType) ? `CAST(${name} AS CHAR)` : `HEX(${name})`;
}

export function toKeyText(column: Column, value: unknown): Buffer | null {
  if (typeof value !== 'string') return null;
  if (isLabelled(column) || plainTypes.has(column.dataType)) return Buffer.from(value, 'latin1');
  return Buffer.from(value.length % 2 === 0 ? value : `0${value}`, 'hex');
}

function isLabelled({ dataType }: Column): boolean {
  return dataType === 'enum' || dataType === 'set';
}

const plainTypes = new Set(
  'tinyint smallint mediumint int bigint decimal float double year date time datetime timestamp'.split(
    ' ',
  ),
);
