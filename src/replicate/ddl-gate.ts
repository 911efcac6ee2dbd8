import type { Token } from './statement-tokens.ts';
import { tokenize } from './statement-tokens.ts';

/** What a logged statement means for the migration; transaction control is not asked about. */
export interface Verdict {
  readonly kind:
    /** Clearly not about a migrated schema. */
    | 'pass'
    /** Changes, or may change, the definition of something in a migrated schema. */
    | 'schema-change'
    /** Rows changed in statement format. */
    | 'statement-format'
    | 'unclear';
  /** The first words, without names or values. */
  readonly what: string;
}

/** `schemas`: the migrated ones. `defaultSchema`: the event's, where unqualified names live. */
export function judge(sql: string, defaultSchema: string, schemas: ReadonlySet<string>): Verdict {
  const tokens = tokenize(sql);
  if (tokens === null) return { kind: 'unclear', what: 'a statement that cannot be read' };
  return new Statement(tokens, defaultSchema, schemas).judge();
}

const DML = new Set(
  'INSERT REPLACE UPDATE DELETE LOAD CALL DO SELECT WITH VALUES TABLE IMPORT HANDLER'.split(' '),
);
/** About accounts, the server, storage or what runs by itself, never about the definition of a table. */
const HARMLESS = [
  /^(CREATE|ALTER|DROP|RENAME) (USER|ROLE|SERVER|RESOURCE|LOGFILE|TABLESPACE|UNDO|SPATIAL REFERENCE|OR REPLACE SPATIAL)\b/,
  /^(GRANT|REVOKE|FLUSH|ANALYZE|OPTIMIZE|REPAIR|CHECK|INSTALL|UNINSTALL)\b/,
  /^SET (PASSWORD|DEFAULT ROLE|ROLE)\b/,
  /^(CREATE|DROP) TEMPORARY TABLE\b/,
  /^ALTER INSTANCE\b/,
  /^RELEASE SAVEPOINT\b/,
  // A server drops an event that ran for the last time. The cutover carries those over that are there then.
  /^DROP EVENT\b/,
];
const DDL = new Set(['CREATE', 'ALTER', 'DROP', 'RENAME', 'TRUNCATE']);

class Statement {
  readonly #tokens: readonly Token[];
  readonly #words: string;
  readonly #defaultIsMigrated: boolean;
  readonly #schemas: ReadonlySet<string>;

  constructor(tokens: readonly Token[], defaultSchema: string, schemas: ReadonlySet<string>) {
    this.#tokens = tokens;
    this.#words = leadingWords(tokens);
    this.#schemas = new Set([...schemas].map(fold));
    this.#defaultIsMigrated = this.#schemas.has(fold(defaultSchema));
  }

  judge(): Verdict {
    return { kind: this.#kind(), what: this.#describe() };
  }

  #kind(): Verdict['kind'] {
    if (HARMLESS.some((form) => form.test(this.#words))) return 'pass';
    const first = this.#words.split(' ')[0] ?? '';
    if (DDL.has(first)) return this.#isElsewhere() ? 'pass' : 'schema-change';
    if (DML.has(first)) return this.#isServersOwn() ? 'pass' : 'statement-format';
    return 'unclear';
  }

  /** No migrated schema is named, and unqualified names, if any, live in a schema that is not migrated. */
  #isElsewhere(): boolean {
    if (this.#namesMigratedSchema()) return false;
    if (!this.#defaultIsMigrated) return true;
    if (/^(CREATE|DROP) (DATABASE|SCHEMA)\b/.test(this.#words)) return true;
    return this.#allNamesQualified();
  }

  /** A statement comes in its client's character set: what is no UTF-8 may be any name beyond ASCII. */
  #namesMigratedSchema(): boolean {
    const beyondAscii = [...this.#schemas].some((name) => /[^\0-\x7f]/.test(name));
    return this.#tokens.some(
      (token) =>
        (token.kind === 'word' || token.kind === 'quoted') &&
        (this.#schemas.has(fold(token.text)) || (beyondAscii && token.text.includes('\ufffd'))),
    );
  }

  /**
   * Only for the plain forms whose names all stand in one list: DROP TABLE a.b, c.d and the like. Anything
   * that could name a second table elsewhere (RENAME, EXCHANGE PARTITION …) is not told apart.
   */
  #allNamesQualified(): boolean {
    const head =
      /^(DROP (TABLE|VIEW|PROCEDURE|FUNCTION|EVENT|TRIGGER)( IF EXISTS)?|TRUNCATE( TABLE)?|CREATE TABLE( IF NOT EXISTS)?|ALTER TABLE)\b/.exec(
        this.#words,
      )?.[0];
    if (head === undefined) return false;
    const rest = this.#tokens.slice(head.split(' ').length);
    if (/^(CREATE|ALTER)/.test(head)) {
      const second = new Set(['RENAME', 'EXCHANGE', 'LIKE', 'REFERENCES', 'SELECT', 'UNION']);
      if (rest.some((t) => t.kind === 'word' && second.has(t.text.toUpperCase()))) return false;
      return qualifiedName(rest, 0) !== null;
    }
    for (let at = 0; ; at++) {
      const next = qualifiedName(rest, at);
      if (next === null) return false;
      at = next;
      if (!isMark(rest[at], ',')) return true;
    }
  }

  /**
   * Some services keep a heartbeat row in the schema `mysql` in statement format. Nobody can put a trigger
   * on those tables, so a plain single-table change of one cannot reach a migrated schema.
   */
  #isServersOwn(): boolean {
    const head = /^(INSERT INTO|REPLACE INTO|DELETE FROM|UPDATE) MYSQL\b/.exec(this.#words)?.[0];
    if (head === undefined || this.#namesMigratedSchema()) return false;
    const at = head.split(' ').length;
    if (!isMark(this.#tokens[at], '.')) return false;
    const calls = this.#tokens.some(
      (t, i) =>
        t.kind === 'word' &&
        /^(SELECT|JOIN|SET)$/i.test(t.text) &&
        !(i < 6 && /^SET$/i.test(t.text)),
    );
    return !calls;
  }

  #describe(): string {
    return this.#words.split(' ').slice(0, 2).join(' ') || 'an empty statement';
  }
}

/** The first words in upper case up to anything that is not a plain word; at most eight. */
function leadingWords(tokens: readonly Token[]): string {
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind !== 'word' || words.length === 8) break;
    words.push(token.text.toUpperCase());
  }
  return words.join(' ');
}

/** `a.b` at that place: where it ends, else null. */
function qualifiedName(tokens: readonly Token[], at: number): number | null {
  return isName(tokens[at]) && isMark(tokens[at + 1], '.') && isName(tokens[at + 2])
    ? at + 3
    : null;
}

function isName(token: Token | undefined): boolean {
  return token?.kind === 'word' || (token?.kind === 'quoted' && !token.maybeString);
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

/** Schemas of one server never differ by case alone where it matters here: a false match only stops. */
function fold(name: string): string {
  return name.toLowerCase();
}
