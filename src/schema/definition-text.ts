import { isWord } from '../mysql/catalog/create-table.ts';
import type { Token } from '../mysql/catalog/sql-tokens.ts';
import { tokenize } from '../mysql/catalog/sql-tokens.ts';

/**
 * Where a table's files lie and how they are encrypted is the server's matter: these clauses of table
 * and partition options are not carried over.
 */
export function withoutStorageOptions(tail: string): string {
  const tokens = [...tokenize(tail)];
  let result = '';
  let from = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const length = storageOptionLength(tokens, at);
    if (length === 0) continue;
    result += tail.slice(from, tokens[at]?.start);
    from = tokens[at + length - 1]?.end ?? from;
    at += length - 1;
  }
  return result + tail.slice(from);
}

/** How many tokens the storage option at `at` takes, 0: none is there. */
function storageOptionLength(tokens: readonly Token[], at: number): number {
  const [first, second] = [tokens[at], tokens[at + 1]];
  const assigned = (name: number) => (tokens[at + name]?.value === '=' ? name + 2 : name + 1);
  if ((isWord(first, 'DATA') || isWord(first, 'INDEX')) && isWord(second, 'DIRECTORY'))
    return assigned(2);
  if (['TABLESPACE', 'ENCRYPTION', 'SECONDARY_ENGINE'].some((word) => isWord(first, word)))
    return assigned(1);
  return 0;
}

/**
 * The same for definitions that mean the same on servers of 8.0 and later, which print integer widths
 * and the names of the three-byte UTF-8 differently.
 */
export function signature(definition: string): string {
  const tokens = [...tokenize(definition)].filter(
    (token) => token.kind !== 'version-open' && token.kind !== 'version-close',
  );
  const words: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const { kind, value } = tokens[at] as Token;
    words.push(kind === 'word' ? renamed(value) : `${kind}:${value}`);
    if (kind === 'word' && INTEGERS.has(value) && hasDisplayWidth(tokens, at, value)) at += 3;
  }
  return words.join(' ');
}

/**
 * The signature of a column without its character set and collation: MySQL prints them or not by
 * whether the column once inherited them. The catalog says what they are.
 */
export function columnSignature(definition: string): string {
  const tokens = [...tokenize(definition)];
  let result = '';
  let from = 0;
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'symbol') depth += { '(': 1, ')': -1 }[token.value] ?? 0;
    if (depth > 0) continue;
    const length = isWord(token, 'COLLATE') ? 2 : Number(isCharacterSet(tokens, at)) * 3;
    if (length === 0) continue;
    result += definition.slice(from, token.start);
    from = tokens[at + length - 1]?.end ?? definition.length;
  }
  return signature(result + definition.slice(from));
}

function isCharacterSet(tokens: readonly Token[], at: number): boolean {
  return isWord(tokens[at], 'CHARACTER') && isWord(tokens[at + 1], 'SET');
}

/** The signature of table options, without the counter and what `withoutStorageOptions` leaves out. */
export function tailSignature(tail: string): string {
  return signature(withoutStorageOptions(tail))
    .replace(/\bAUTO_INCREMENT symbol:= \d+ ?/, '')
    .trim();
}

const INTEGERS = new Set(['TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'BIGINT', 'YEAR']);

/** `tinyint(1)` is printed by every version, and so is a width with ZEROFILL. */
function hasDisplayWidth(tokens: readonly Token[], at: number, type: string): boolean {
  const [open, width, close] = tokens.slice(at + 1, at + 4);
  const zerofill = tokens.slice(at + 4, at + 6).some((token) => isWord(token, 'ZEROFILL'));
  if (open?.value !== '(' || close?.value !== ')' || !/^\d+$/.test(width?.value ?? ''))
    return false;
  return !zerofill && !(type === 'TINYINT' && width?.value === '1');
}

function renamed(word: string): string {
  return /^UTF8(_|$)/.test(word) ? word.replace('UTF8', 'UTF8MB3') : word;
}
