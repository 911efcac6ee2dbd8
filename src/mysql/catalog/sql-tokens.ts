export interface Token {
  /** `version-open` is the start of a versioned comment, whose content is SQL like any other. */
  readonly kind: 'word' | 'identifier' | 'string' | 'symbol' | 'version-open' | 'version-close';
  /** A word in upper case, an identifier or string without its quotes, a symbol as it is. */
  readonly value: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const SPACE = /\s/;
const WORD = /[\w$\u0080-\uffff]/;

/**
 * Cuts SQL as SHOW CREATE prints it into tokens, leaving out space and comments. Strings are read as
 * without NO_BACKSLASH_ESCAPES and ANSI_QUOTES: sessions that read definitions set `sql_mode` so.
 * Lazy, because the body of a stored program follows its own rules and need not be read.
 */
export function* tokenize(sql: string): Generator<Token, void> {
  let at = 0;
  while (at < sql.length) {
    const char = sql.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
      continue;
    }
    const comment = plainCommentEnd(sql, at);
    if (comment !== null) {
      at = comment;
      continue;
    }
    const token = tokenAt(sql, at, char);
    at = token.end;
    yield token;
  }
}

function tokenAt(sql: string, start: number, char: string): Token {
  if (char === '`') return quoted('identifier', sql, start, false);
  if (char === "'" || char === '"') return quoted('string', sql, start, true);
  if (sql.startsWith('/*!', start)) {
    let end = start + 3;
    while (/\d/.test(sql.charAt(end))) end += 1;
    return { kind: 'version-open', value: sql.slice(start, end), start, end };
  }
  if (sql.startsWith('*/', start)) {
    return { kind: 'version-close', value: '*/', start, end: start + 2 };
  }
  if (WORD.test(char)) {
    let end = start + 1;
    while (end < sql.length && WORD.test(sql.charAt(end))) end += 1;
    return { kind: 'word', value: sql.slice(start, end).toUpperCase(), start, end };
  }
  return { kind: 'symbol', value: char, start, end: start + 1 };
}

function quoted(
  kind: 'identifier' | 'string',
  sql: string,
  start: number,
  backslash: boolean,
): Token {
  const quote = sql.charAt(start);
  let value = '';
  let at = start + 1;
  while (at < sql.length) {
    const char = sql.charAt(at);
    if (backslash && char === '\\') {
      value += sql.slice(at, at + 2);
      at += 2;
    } else if (char === quote && sql.charAt(at + 1) === quote) {
      value += quote;
      at += 2;
    } else if (char === quote) {
      return { kind, value, start, end: at + 1 };
    } else {
      value += char;
      at += 1;
    }
  }
  throw new RangeError(`unterminated ${kind} at character ${start}`);
}

/** Where a comment that is no SQL ends; null: none begins here. */
function plainCommentEnd(sql: string, at: number): number | null {
  const line =
    sql.charAt(at) === '#' || (sql.startsWith('--', at) && /^--(\s|$)/.test(sql.slice(at, at + 3)));
  if (line) {
    const end = sql.indexOf('\n', at);
    return end < 0 ? sql.length : end + 1;
  }
  if (!sql.startsWith('/*', at) || sql.startsWith('/*!', at)) return null;
  const end = sql.indexOf('*/', at + 2);
  if (end < 0) throw new RangeError(`unterminated comment at character ${at}`);
  return end + 2;
}
