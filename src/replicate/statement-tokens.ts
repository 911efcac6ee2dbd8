/**
 * The words of a statement as the gate needs them: comments gone, the content of versioned comments kept
 * (whether a server runs it depends on its version, so it counts), strings without their text.
 */
export type Token =
  | { readonly kind: 'word'; readonly text: string }
  /** Backticks: certainly a name. Double quotes: a name under ANSI_QUOTES, else a string. */
  | { readonly kind: 'quoted'; readonly text: string; readonly maybeString: boolean }
  | { readonly kind: 'string' }
  | { readonly kind: 'mark'; readonly text: string };

/** null: something is not closed, so nothing can be said about the statement. */
export function tokenize(sql: string): Token[] | null {
  const tokens: Token[] = [];
  let versioned = 0;
  let at = 0;
  while (at < sql.length) {
    const c = sql[at]!;
    if (/\s/.test(c) || c === '\0') {
      at += 1;
    } else if (c === '#' || isDashComment(sql, at)) {
      const end = sql.indexOf('\n', at);
      at = end < 0 ? sql.length : end + 1;
    } else if (sql.startsWith('/*', at)) {
      const opening = /^\/\*M?!\d*/.exec(sql.slice(at, at + 12));
      if (opening !== null) {
        versioned += 1;
        at += opening[0].length;
      } else {
        const end = sql.indexOf('*/', at + 2);
        if (end < 0) return null;
        at = end + 2;
      }
    } else if (versioned > 0 && sql.startsWith('*/', at)) {
      versioned -= 1;
      at += 2;
    } else if (c === "'" || c === '"' || c === '`') {
      const quoted = readQuoted(sql, at, c);
      if (quoted === null) return null;
      at = quoted.end;
      tokens.push(
        c === "'"
          ? { kind: 'string' }
          : { kind: 'quoted', text: quoted.text, maybeString: c === '"' },
      );
    } else {
      const word = /^[\p{L}\p{N}_$@\u0080-\uffff]+/u.exec(sql.slice(at, at + 256))?.[0];
      if (word === undefined) tokens.push({ kind: 'mark', text: c });
      else tokens.push({ kind: 'word', text: word });
      at += word?.length ?? 1;
    }
  }
  return versioned === 0 ? tokens : null;
}

/** `--` begins a comment only when a space or a control character follows. */
function isDashComment(sql: string, at: number): boolean {
  return sql.startsWith('--', at) && (at + 2 >= sql.length || sql.charCodeAt(at + 2) <= 32);
}

/**
 * A doubled quote stands for itself. A backslash escapes in strings, unless NO_BACKSLASH_ESCAPES was
 * set: a statement that would read differently then may end in an open string, and is not passed.
 */
function readQuoted(
  sql: string,
  start: number,
  quote: string,
): { text: string; end: number } | null {
  let text = '';
  for (let at = start + 1; at < sql.length; at++) {
    const c = sql[at]!;
    if (c === '\\' && quote !== '`') {
      at += 1;
      text += sql[at] ?? '';
    } else if (c !== quote) {
      text += c;
    } else if (sql[at + 1] === quote) {
      at += 1;
      text += quote;
    } else {
      return { text, end: at + 1 };
    }
  }
  return null;
}
