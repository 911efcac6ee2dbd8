import type { Column, Table } from '../mysql/catalog/types.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';

/**
 * How a table's values travel: the expressions that the source selects, and the list of a LOAD DATA
 * statement with its SET clause. Generated columns stay behind, invisible ones are named.
 */
export interface ColumnTransfer {
  readonly select: string;
  readonly load: string;
  /** Columns whose value 0 (no member) can only be stored with a warning. */
  readonly enums: readonly string[];
}

export function columnTransfer(table: Table): ColumnTransfer {
  const columns = transferredColumns(table);
  const variables = columns.map((column, i) => loadExpression(column, `@skyferry_${i}`));
  const list = columns.map((column, i) =>
    variables[i] === null ? quoteIdentifier(column.name) : `@skyferry_${i}`,
  );
  const assignments = columns.flatMap((column, i) =>
    variables[i] === null ? [] : [`${quoteIdentifier(column.name)} = ${variables[i]}`],
  );
  return {
    select: columns.map(selectExpression).join(', '),
    load: `(${list.join(', ')})${assignments.length > 0 ? ` SET ${assignments.join(', ')}` : ''}`,
    enums: columns.filter((column) => column.dataType === 'enum').map((column) => column.name),
  };
}

export function transferredColumns(table: Table): readonly Column[] {
  return table.columns.filter((column) => column.generated === null);
}

export function selectExpression(column: Column): string {
  const name = quoteIdentifier(column.name);
  switch (column.dataType) {
    case 'float':
      return `${name} * 1e0`; // A FLOAT's own text has six digits. Times one keeps -0, plus zero would not.
    case 'double':
      return column.columnType.includes('(') ? `${name} * 1e0` : name; // DOUBLE(M,D) prints D decimals
    case 'enum':
    case 'set':
      return `CAST(${name} AS UNSIGNED)`; // members by number: '' may be a member or none, '1' a member or the first
    default:
      return name;
  }
}

/** null: the column takes the field as it is, a binary string. */
export function loadExpression(column: Column, variable: string): string | null {
  switch (column.dataType) {
    case 'enum':
    case 'set':
      return `CAST(${variable} AS UNSIGNED)`;
    case 'json':
      return `CONVERT(${variable} USING utf8mb4)`; // JSON refuses a binary string
    default:
      return null;
  }
}
