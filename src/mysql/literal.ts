import type { Column } from './catalog/types.ts';

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const TEMPORAL = /^-?[\d:. -]+$/;

/**
 * An SQL literal that equals the column's value, for WHERE clauses. `text` is the value in the text
 * protocol's form as sent under `character_set_results = NULL`: strings in the column's own character
 * set. Sessions that use it need the time zone that the text was read in, and a sql_mode without
 * NO_ZERO_DATE and NO_ZERO_IN_DATE. A RangeError when the text is no value of the type.
 */
export function literal(column: Column, text: Buffer | null): string {
  if (text === null) return 'NULL';
  switch (column.dataType) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'float':
    case 'double':
    case 'year':
      return checked(NUMBER, text);
    case 'bit':
      return BigInt(`0x${text.toString('hex') || '0'}`).toString();
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
      return `'${checked(TEMPORAL, text)}'`;
    case 'json':
      return `CAST(_utf8mb4 ${hex(text)} AS JSON)`;
    default:
      // The column's collation wins over the literal's in a comparison.
      return column.charset === null ? hex(text) : `_${column.charset} ${hex(text)}`;
  }
}

function hex(bytes: Buffer): string {
  return `x'${bytes.toString('hex')}'`;
}

function checked(form: RegExp, text: Buffer): string {
  const value = text.toString('latin1');
  if (!form.test(value)) throw new RangeError('not a value of its type in text form');
  return value;
}
