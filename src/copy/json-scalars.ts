import type { Column, Table } from '../mysql/catalog/types.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';

/**
 * A JSON document is more than its text: `JSON_OBJECT('n', decimal_column)` holds a DECIMAL, which reads
 * `1.50` and parses as the DOUBLE 1.5; dates parse as strings, a small BIGINT UNSIGNED as INTEGER, a large
 * BIGINT as UNSIGNED INTEGER. Which scalars those are, only the source can say: it names the type of each.
 */

/** Columns whose text alone does not make the document again. */
export function documentColumns(table: Table): readonly Column[] {
  return table.columns.filter((column) => column.dataType === 'json' && column.generated === null);
}

/** One letter a scalar; `.` is one that its text says fully. */
const letters = {
  '.': ['STRING', 'DOUBLE', 'BOOLEAN', 'NULL'],
  i: ['INTEGER'],
  n: ['DECIMAL'],
  u: ['UNSIGNED INTEGER'],
  d: ['DATE'],
  t: ['TIME'],
  m: ['DATETIME'],
  s: ['TIMESTAMP'],
  b: ['BLOB', 'BIT'],
} as const;
/** A type that this list does not know. */
const UNKNOWN = '?';

/**
 * Every scalar of a document, once and in the order of the text: a scalar is its own first element, so
 * `**` with `[0]` finds all of them, and objects and first elements of arrays besides.
 */
const EVERY_SCALAR = `'$**[0]'`;

/** A text of a greater number parses as UNSIGNED INTEGER, of a lesser one as INTEGER. */
export const PARSED_AS_INTEGER = 4_294_967_295;

const plain = list(['OBJECT', 'ARRAY', ...letters['.']]);

/**
 * Whether a document of the row (aliased `r`) holds a scalar that its text does not say. Not by EXISTS:
 * MySQL 9.7 makes a semijoin of it that forgets on which row's document it depends.
 */
export function holdsAny(table: Table): string {
  return documentColumns(table)
    .map(
      ({ name }) =>
        `(SELECT 1 FROM JSON_TABLE(r.${quoteIdentifier(name)}, ${EVERY_SCALAR}` +
        ` COLUMNS (v JSON PATH '$')) AS scalars WHERE JSON_TYPE(v) NOT IN (${plain})` +
        ` AND (CASE JSON_TYPE(v) WHEN 'INTEGER' THEN v > ${PARSED_AS_INTEGER}` +
        ` WHEN 'UNSIGNED INTEGER' THEN v <= ${PARSED_AS_INTEGER} ELSE TRUE END) LIMIT 1) IS NOT NULL`,
    )
    .join(' OR ');
}

/** The letters of a document's scalars. The session's group_concat_max_len must not cut them short. */
export function scalarLetters({ name }: Column): string {
  const cases = Object.entries(letters).map(
    ([letter, types]) => `WHEN JSON_TYPE(v) IN (${list(types)}) THEN '${letter}'`,
  );
  return (
    `(SELECT GROUP_CONCAT(CASE WHEN v IS NULL THEN '.' ${cases.join(' ')} ELSE '${UNKNOWN}' END` +
    ` ORDER BY n SEPARATOR '') FROM JSON_TABLE(r.${quoteIdentifier(name)}, ${EVERY_SCALAR}` +
    ` COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS scalars` +
    ` WHERE v IS NULL OR JSON_TYPE(v) NOT IN ('OBJECT', 'ARRAY'))`
  );
}

function list(types: readonly string[]): string {
  return types.map((type) => `'${type}'`).join(', ');
}
