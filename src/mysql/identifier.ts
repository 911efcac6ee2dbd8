/** The only place where identifiers are quoted. */
export function quoteIdentifier(name: string): string {
  if (name.length === 0 || name.includes('\0')) throw new RangeError('not an identifier');
  return '`' + name.replaceAll('`', '``') + '`';
}

/**
 * `user@host` as CURRENT_USER and definers are printed, as a statement names that account: in backticks,
 * since what a string holds depends on the sql_mode.
 */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  const part = (text: string) => (text === '' ? "''" : quoteIdentifier(text));
  return `${part(account.slice(0, at))}@${part(account.slice(at + 1))}`;
}

/** A whole schema as GRANT names it, where its name is a pattern: `_` and `%` are escaped. */
export function grantTarget(schema: string): string {
  return `${quoteIdentifier(schema.replaceAll(/[\\_%]/g, (c) => `\\${c}`))}.*`;
}

/** A table, view, routine or event with its schema, spelled as its server spells it. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

export function qualify({ schema, name }: QualifiedName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** For people and as a map key: unquoted unless a part holds a dot or a backtick. */
export function displayName({ schema, name }: QualifiedName): string {
  const part = (s: string) => (/[.`]/.test(s) ? quoteIdentifier(s) : s);
  return `${part(schema)}.${part(name)}`;
}

/**
 * A server's spelling of a name: with `lower_case_table_names=1` schemas, tables and views are kept
 * in lower case (MySQL folds with the utf8mb3 rules; preflight refuses pairs that collide).
 */
export function spelledOn(
  { schema, name }: QualifiedName,
  lowerCaseTableNames: number,
): QualifiedName {
  return lowerCaseTableNames === 1
    ? { schema: schema.toLowerCase(), name: name.toLowerCase() }
    : { schema, name };
}
