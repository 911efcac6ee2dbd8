import { temporalOrNumber, opaque } from './json-values.ts';

/** What turns a document parsed from its text into the document: paths, and expressions of their values. */
export interface Correction {
  readonly path: string;
  readonly value: string;
}

export interface Corrections {
  readonly corrections: readonly Correction[];
  /** Scalars whose type no expression makes: they stay as their text parses. */
  readonly left: number;
}

/**
 * Walks a document's text as the server writes it, next to its scalars' letters (see json-scalars.ts).
 * null: the letters are not those of this text.
 */
export function correctionsOf(text: string, letters: string): Corrections | null {
  const corrections: Correction[] = [];
  let left = 0;
  let scalars = 0;
  /** The way to where the walk is: a key's token, null before it was read, or an element's number. */
  const way: (string | number | null)[] = [];
  for (let at = 0; at < text.length;) {
    const here = way.length - 1;
    switch (text.charAt(at)) {
      case '{':
      case '[':
        way.push(text[at] === '{' ? null : 0);
        at++;
        continue;
      case '}':
      case ']':
        way.pop();
        at++;
        continue;
      case ',': {
        const step = way[here];
        way[here] = typeof step === 'number' ? step + 1 : null;
        at++;
        continue;
      }
      case ' ':
      case ':':
        at++;
        continue;
      default:
    }
    const end = tokenEnd(text, at);
    const token = text.slice(at, end);
    at = end;
    if (here >= 0 && way[here] === null) {
      way[here] = token;
      continue;
    }
    const letter = letters[scalars++];
    if (letter === undefined) return null;
    if (letter === '.') continue;
    const value = valueOf(letter, token);
    if (value === undefined) left++;
    else if (value !== null) corrections.push({ path: pathTo(way), value });
  }
  return scalars === letters.length ? { corrections, left } : null;
}

/** null: the text says it; undefined: no expression does. */
function valueOf(letter: string, token: string): string | null | undefined {
  return letter === 'b' ? opaque(token) : temporalOrNumber(letter, token);
}

function tokenEnd(text: string, start: number): number {
  let at = start;
  if (text[at] === '"') {
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    return at + 1;
  }
  while (at < text.length && !',]} '.includes(text[at]!)) at++;
  return at;
}

/** A path takes a quoted key in the very spelling of the document's text. */
function pathTo(way: readonly (string | number | null)[]): string {
  let path = '$';
  for (const step of way) path += typeof step === 'number' ? `[${step}]` : `.${step}`;
  return path;
}

/** `document` is an expression of the parsed text. */
export function corrected(document: string, { corrections }: Corrections): string {
  const changes = corrections.map(({ path, value }) => `${quoted(path)}, ${value}`);
  return `JSON_SET(${document}, ${changes.join(', ')})`;
}

/** A string literal for a session in utf8mb4 whose sql_mode lacks NO_BACKSLASH_ESCAPES. */
export function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
