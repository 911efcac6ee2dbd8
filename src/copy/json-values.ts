import { PARSED_AS_INTEGER } from './json-scalars.ts';

/** Expressions whose values JSON functions take over with their type. Measured on MySQL 9.7. */

const DECIMAL = /^-?(\d+)(?:\.(\d+))?$/;
const MAX_PRECISION = 65;
const MAX_SCALE = 30;
const INTEGER = /^-?\d+$/;
const TEMPORAL = /^"[-\d:. ]+"$/;

/** null: the text says it; undefined: no expression does. */
export function temporalOrNumber(letter: string, token: string): string | null | undefined {
  switch (letter) {
    case 'n':
      return decimal(token);
    case 'i':
      if (!INTEGER.test(token)) return undefined;
      return Number(token) > PARSED_AS_INTEGER ? `CAST(${token} AS SIGNED)` : null;
    case 'u':
      if (!INTEGER.test(token)) return undefined;
      return Number(token) > PARSED_AS_INTEGER ? null : `CAST(${token} AS UNSIGNED)`;
    default:
      return TEMPORAL.test(token) ? temporal(letter, token.slice(1, -1)) : undefined;
  }
}

function decimal(token: string): string | undefined {
  const [, whole, fraction = ''] = DECIMAL.exec(token) ?? [];
  if (whole === undefined) return undefined;
  const scale = fraction.length;
  const precision = Math.max(1, (whole === '0' ? 0 : whole.length) + scale);
  if (precision > MAX_PRECISION || scale > MAX_SCALE) return undefined;
  return `CAST('${token}' AS DECIMAL(${precision}, ${scale}))`;
}

function temporal(letter: string, text: string): string | undefined {
  switch (letter) {
    case 'd':
      return `CAST('${text}' AS DATE)`;
    case 't':
      return `CAST('${text}' AS TIME(6))`;
    case 'm':
      return `CAST('${text}' AS DATETIME(6))`;
    case 's':
      // The document holds local time; what UTC cannot hold as a TIMESTAMP has no expression.
      return text.startsWith('0000-00-00') || (text > '1970-01-02' && text < '2038-01-19')
        ? field(`"${text}"`, 'TIMESTAMP(6)')
        : undefined;
    default:
      return undefined;
  }
}

/** Long values have line breaks, which the text escapes. */
const OPAQUE = /^"base64:type(\d+):((?:[A-Za-z0-9+/=]|\\n)*)"$/;
const VARBINARY = 15;
const BIT = 16;
const MEDIUM_BLOB = 250;
const LONG_BLOB = 251;
const BLOB = 252;
const BINARY = 254;

/** Bytes with the type of the column that they came from, as the text says; undefined: no expression makes it. */
export function opaque(token: string): string | undefined {
  const [, type, data] = OPAQUE.exec(token) ?? [];
  if (type === undefined || data === undefined) return undefined;
  const bytes = Buffer.from(data.replaceAll('\\n', ''), 'base64');
  const hex = bytes.toString('hex');
  switch (Number(type)) {
    case VARBINARY:
      return bytes.length < 65_536 ? `x'${hex}'` : undefined;
    case BIT:
      return bytes.length > 0 && bytes.length <= 8
        ? field(BigInt(`0x${hex}`).toString(), `BIT(${8 * bytes.length})`)
        : undefined;
    case BLOB:
      return bytes.length < 65_536 ? `COALESCE(${field('null', 'BLOB')}, x'${hex}')` : undefined;
    // The type of an expression follows from the longest value that it could have; REPEAT is not run.
    case MEDIUM_BLOB:
      return bytes.length < 17_000_000 ? longest(70_000, hex) : undefined;
    case LONG_BLOB:
      return longest(17_000_000, hex);
    case BINARY:
      // The first part of a recursive expression decides its type.
      return bytes.length > 0 && bytes.length <= 255
        ? `(WITH RECURSIVE b (c, n) AS (SELECT c, 0 FROM JSON_TABLE('["0"]', '$[*]'` +
            ` COLUMNS (c BINARY(${bytes.length}) PATH '$')) AS f UNION ALL SELECT x'${hex}', 1 FROM b` +
            ` WHERE n = 0) SELECT c FROM b WHERE n = 1)`
        : undefined;
    default:
      return undefined;
  }
}

function longest(bytes: number, hex: string): string {
  return `COALESCE(IF(RAND() > 2, REPEAT(x'00', ${bytes}), NULL), x'${hex}')`;
}

function field(json: string, type: string): string {
  return `(SELECT c FROM JSON_TABLE('[${json}]', '$[*]' COLUMNS (c ${type} PATH '$')) AS f)`;
}
