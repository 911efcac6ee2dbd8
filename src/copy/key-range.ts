import type { Column, Table } from '../mysql/catalog/types.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';

/**
 * The rows with lower < key <= upper, by the first columns of the row key. null is no bound. Any literal
 * makes a true cut, because a row is either > or <= it, by the column's own collation: rows that compare
 * equal stay together, and neighbouring ranges leave no gap and do not overlap.
 */
export interface KeyRange {
  /** SQL literals, one for each bound column. */
  readonly lower: readonly string[] | null;
  readonly upper: readonly string[] | null;
}

export const wholeTable: KeyRange = { lower: null, upper: null };

/** Types that compare with a literal in the order of the index. ENUM, SET, BIT and FLOAT do not for certain. */
const orderedTypes = new Set(
  (
    'tinyint smallint mediumint int bigint decimal date datetime timestamp time year ' +
    'char varchar binary varbinary tinytext text mediumtext longtext tinyblob blob mediumblob longblob'
  ).split(' '),
);

/** The leading columns of the row key by which the table can be cut; none: it stays in one piece. */
export function boundColumns(table: Table): readonly Column[] {
  const columns: Column[] = [];
  for (const name of table.rowKey?.columns ?? []) {
    const column = table.columns.find((c) => c.name === name);
    if (column === undefined || !orderedTypes.has(column.dataType)) break;
    columns.push(column);
  }
  return columns;
}

/**
 * A condition for WHERE, empty for the whole table. Row values are expanded, because `(a, b) > (1, 2)`
 * does not use the index; the redundant bounds of the first column give every server a range to start from.
 */
export function rangeCondition(columns: readonly Column[], range: KeyRange): string {
  const names = columns.map((column) => quoteIdentifier(column.name));
  return [
    ...(range.lower === null ? [] : after(names, range.lower)),
    ...(range.upper === null ? [] : upTo(names, range.upper)),
  ].join(' AND ');
}

export function after(names: readonly string[], bound: readonly string[]): string[] {
  return lexicographic(names, bound, '>', '>');
}

function upTo(names: readonly string[], bound: readonly string[]): string[] {
  return lexicographic(names, bound, '<', '<=');
}

function lexicographic(
  names: readonly string[],
  bound: readonly string[],
  strict: '<' | '>',
  last: '<=' | '>',
): string[] {
  const first = names[0];
  if (first === undefined) return [];
  if (names.length === 1) return [`${first} ${last} ${bound[0]}`];
  const alternatives = names.map((name, i) => {
    const equal = names.slice(0, i).map((n, j) => `${n} = ${bound[j]}`);
    return [...equal, `${name} ${i === names.length - 1 ? last : strict} ${bound[i]}`].join(
      ' AND ',
    );
  });
  return [`${first} ${strict}= ${bound[0]}`, `(${alternatives.map((a) => `(${a})`).join(' OR ')})`];
}
