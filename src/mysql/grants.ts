import type { Connection } from './connection.ts';

/**
 * The privileges that a session really holds, roles included, from SHOW GRANTS: the catalogue hides
 * what one may not see, so an empty answer there proves nothing.
 */
export class Grants {
  readonly #global = new Set<string>();
  readonly #bySchema = new Map<string, Set<string>>();
  /** What is taken from the global ones again, by schema (`partial_revokes`). */
  readonly #revoked = new Map<string, Set<string>>();
  readonly #procedures = new Set<string>();

  static async read(connection: Connection): Promise<Grants> {
    const rows = await connection.query('SHOW GRANTS');
    return Grants.parse(rows.map((row) => String(Object.values(row)[0])));
  }

  static parse(statements: readonly string[]): Grants {
    const grants = new Grants();
    for (const statement of statements) grants.#take(statement);
    return grants;
  }

  global(privilege: string): boolean {
    return (
      this.#global.has(privilege) || (this.#global.has('ALL PRIVILEGES') && !isDynamic(privilege))
    );
  }

  /** On everything in the schema: a grant on single tables does not count. */
  onSchema(privilege: string, schema: string): boolean {
    if (this.global(privilege) && this.#revoked.get(schema)?.has(privilege) !== true) return true;
    for (const [pattern, privileges] of this.#bySchema) {
      if (!matchesPattern(pattern, schema)) continue;
      if (privileges.has(privilege) || privileges.has('ALL PRIVILEGES')) return true;
    }
    return false;
  }

  execute(procedure: string): boolean {
    const schema = procedure.split('.')[0] ?? '';
    return this.onSchema('EXECUTE', schema) || this.#procedures.has(procedure.toLowerCase());
  }

  #take(statement: string): void {
    const match = FORM.exec(statement);
    // Grants of roles and of PROXY have no such form; a role's privileges are listed by themselves.
    if (match === null) return;
    const [, verb, list = '', routine, object = ''] = match;
    const privileges = splitPrivileges(list);
    if (verb === 'REVOKE') {
      this.#revoked.set(unquote(object.slice(0, -2)), new Set(privileges));
    } else if (routine !== undefined) {
      if (privileges.includes('EXECUTE')) this.#procedures.add(unquote(object).toLowerCase());
    } else if (object === '*.*') {
      for (const privilege of privileges) this.#global.add(privilege);
    } else if (object.endsWith('.*')) {
      const schema = unquote(object.slice(0, -2));
      const held = this.#bySchema.get(schema) ?? new Set();
      for (const privilege of privileges) held.add(privilege);
      this.#bySchema.set(schema, held);
    }
  }
}

/** Column lists make a privilege partial: `SELECT (a, b)` is not SELECT. */
function splitPrivileges(list: string): string[] {
  return list
    .replaceAll(/\([^)]*\)/g, '(partial)')
    .split(',')
    .map((privilege) => privilege.trim().toUpperCase())
    .filter((privilege) => !privilege.includes('(PARTIAL)'));
}

/** Names stand in backticks, or in double quotes where the session's sql_mode has ANSI_QUOTES. */
const FORM =
  /^(GRANT|REVOKE) (.+?) ON (PROCEDURE |FUNCTION )?(`(?:[^`]|``)*`\.\S+|"(?:[^"]|"")*"\.\S+|\S+) (?:TO|FROM) /;

function unquote(name: string): string {
  return name.replaceAll(/([`"])((?:(?!\1).|\1\1)*)\1/gs, (_, quote: string, inner: string) =>
    inner.replaceAll(quote + quote, quote),
  );
}

/** A schema name in a grant is a LIKE pattern: `\_` is an underscore, `_` any character. */
function matchesPattern(pattern: string, schema: string): boolean {
  const source = pattern.replaceAll(
    /\\([_%])|([_%])|([.*+?^${}()|[\]\\])/g,
    (_, literal, wild, special) =>
      literal !== undefined
        ? String(literal)
        : wild === '%'
          ? '.*'
          : wild === '_'
            ? '.'
            : `\\${special}`,
  );
  return new RegExp(`^${source}$`).test(schema);
}

/** Dynamic privileges are written with underscores and are not part of ALL PRIVILEGES in the server's own listing. */
function isDynamic(privilege: string): boolean {
  return privilege.includes('_');
}
