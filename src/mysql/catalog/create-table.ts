import type { Token } from './sql-tokens.ts';
import { tokenize } from './sql-tokens.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { ForeignKey, Index, ReferentialAction } from './types.ts';
import type { QualifiedName } from '../identifier.ts';

/** One column, key or constraint of a SHOW CREATE TABLE, with its text as it stands there. */
export interface TableElement {
  readonly kind:
    'column' | 'primary' | 'unique' | 'index' | 'fulltext' | 'spatial' | 'check' | 'foreign-key';
  /** The column's, key's or constraint's name; `PRIMARY` for the primary key. */
  readonly name: string;
  readonly text: string;
  readonly tokens: readonly Token[];
}

export interface CreateTableText {
  readonly elements: readonly TableElement[];
  /** Everything behind the closing parenthesis: table options and partitions. */
  readonly tail: string;
  readonly partitioned: boolean;
  /** null: the statement names none. */
  readonly autoIncrement: string | null;
}

/** Splits SHOW CREATE TABLE. Whatever it does not know is a failure: nothing is ever dropped in silence. */
export function parseCreateTable(statement: string): CreateTableText {
  const tokens = readTokens(statement);
  const open = tokens.findIndex((token) => token.kind === 'symbol' && token.value === '(');
  if (open < 0) throw notUnderstood(statement.slice(0, 60));
  const elements: TableElement[] = [];
  let depth = 1;
  let first = open + 1;
  for (let i = open + 1; i < tokens.length; i += 1) {
    const { kind, value } = tokens[i] as Token;
    if (kind !== 'symbol') continue;
    if (value === '(') depth += 1;
    if (value === ')') depth -= 1;
    if (depth === 0 || (depth === 1 && value === ',')) {
      elements.push(toElement(statement, tokens.slice(first, i)));
      first = i + 1;
    }
    if (depth === 0) {
      const rest = tokens.slice(i + 1);
      return {
        elements,
        tail: statement.slice((tokens[i] as Token).end),
        partitioned: rest.some(
          (token, at) => isWord(token, 'PARTITION') && isWord(rest[at + 1], 'BY'),
        ),
        autoIncrement: autoIncrementOption(rest),
      };
    }
  }
  throw notUnderstood(statement.slice(0, 60));
}

export function isKey(element: TableElement): boolean {
  return ['primary', 'unique', 'index', 'fulltext', 'spatial'].includes(element.kind);
}

/** The key parts of an element for which `isKey` holds. */
export function parseIndex(element: TableElement): Index {
  const { tokens, kind } = element;
  const open = tokens.findIndex((token) => token.value === '(' && token.kind === 'symbol');
  return {
    name: element.name,
    unique: kind === 'primary' || kind === 'unique',
    kind: kind === 'fulltext' || kind === 'spatial' ? kind : 'btree',
    parts: splitList(tokens, open).map((part) => {
      const [column, paren, length] = part;
      if (column?.kind !== 'identifier') return { column: null, prefix: null };
      const prefix = paren?.value === '(' && length !== undefined ? Number(length.value) : null;
      // A spatial key's "prefix" is the size of a bounding box.
      return { column: column.value, prefix: kind === 'spatial' ? null : prefix };
    }),
  };
}

/** For an element of kind `foreign-key` of the table `table`. */
export function parseForeignKey(element: TableElement, table: QualifiedName): ForeignKey {
  const { tokens } = element;
  const open = tokens.findIndex((token) => token.value === '(' && token.kind === 'symbol');
  const references = tokens.findIndex((token) => isWord(token, 'REFERENCES'));
  const [first, dot, second] = tokens.slice(references + 1);
  if (open < 0 || references < 0 || first?.kind !== 'identifier') throw notUnderstood(element.text);
  const crossSchema = dot?.value === '.' && second?.kind === 'identifier';
  const secondOpen = tokens.findIndex(
    (token, at) => at > references && token.value === '(' && token.kind === 'symbol',
  );
  return {
    name: element.name,
    table,
    columns: splitList(tokens, open).map(onlyIdentifier),
    referencedTable: crossSchema
      ? { schema: first.value, name: second.value }
      : { schema: table.schema, name: first.value },
    referencedColumns: splitList(tokens, secondOpen).map(onlyIdentifier),
    onDelete: referentialAction(tokens, 'DELETE'),
    onUpdate: referentialAction(tokens, 'UPDATE'),
  };
}

export function isEnforced(check: TableElement): boolean {
  return !check.tokens.some(
    (token, at) => isWord(token, 'NOT') && isWord(check.tokens[at + 1], 'ENFORCED'),
  );
}

export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.value === word;
}

function readTokens(statement: string): Token[] {
  try {
    return [...tokenize(statement)];
  } catch (error) {
    if (error instanceof RangeError) throw notUnderstood(error.message);
    throw error;
  }
}

function toElement(statement: string, tokens: readonly Token[]): TableElement {
  const first = tokens[0];
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) throw notUnderstood('an empty element');
  const element = (kind: TableElement['kind'], name: Token | undefined) => ({
    kind,
    name: kind === 'primary' ? 'PRIMARY' : (name?.value ?? ''),
    text: statement.slice(first.start, last.end),
    tokens,
  });
  if (first.kind === 'identifier') return element('column', first);
  switch (first.kind === 'word' ? first.value : '') {
    case 'PRIMARY':
      return element('primary', undefined);
    case 'UNIQUE':
      return element('unique', tokens[2]);
    case 'KEY':
      return element('index', tokens[1]);
    case 'FULLTEXT':
      return element('fulltext', tokens[2]);
    case 'SPATIAL':
      return element('spatial', tokens[2]);
    case 'CONSTRAINT':
      if (isWord(tokens[2], 'FOREIGN')) return element('foreign-key', tokens[1]);
      if (isWord(tokens[2], 'CHECK')) return element('check', tokens[1]);
      break;
    default:
  }
  throw notUnderstood(`an element that begins with ${first.value}`);
}

function autoIncrementOption(tail: readonly Token[]): string | null {
  const at = tail.findIndex((token) => isWord(token, 'AUTO_INCREMENT'));
  return at < 0 ? null : (tail[at + 2]?.value ?? null);
}

/** The comma-separated parts of the list whose parenthesis stands at `open`. */
function splitList(tokens: readonly Token[], open: number): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 1;
  for (const token of tokens.slice(open + 1)) {
    if (token.kind === 'symbol') {
      if (token.value === '(') depth += 1;
      if (token.value === ')') depth -= 1;
      if (depth === 0) return parts;
      if (depth === 1 && token.value === ',') {
        parts.push([]);
        continue;
      }
    }
    parts.at(-1)?.push(token);
  }
  throw notUnderstood('an unclosed list');
}

function onlyIdentifier([token]: Token[]): string {
  if (token?.kind !== 'identifier') throw notUnderstood('a foreign key over no column');
  return token.value;
}

function referentialAction(
  tokens: readonly Token[],
  change: 'DELETE' | 'UPDATE',
): ReferentialAction {
  const at = tokens.findIndex((token, i) => isWord(token, change) && isWord(tokens[i - 1], 'ON'));
  const [one, two] = tokens.slice(at + 1);
  if (at < 0 || isWord(one, 'NO')) return 'NO ACTION';
  if (isWord(one, 'CASCADE')) return 'CASCADE';
  if (isWord(one, 'RESTRICT')) return 'RESTRICT';
  if (isWord(one, 'SET') && isWord(two, 'NULL')) return 'SET NULL';
  if (isWord(one, 'SET') && isWord(two, 'DEFAULT')) return 'SET DEFAULT';
  throw notUnderstood('a referential action');
}

function notUnderstood(what: string): SkyferryFailure {
  return new SkyferryFailure(
    'INTERNAL',
    `SHOW CREATE TABLE printed what Skyferry does not understand: ${what}`,
    {
      next: 'report the table definition; the migration cannot go on with it',
    },
  );
}
