import type { TableElement } from '../../src/mysql/catalog/create-table.ts';
import { isKey, parseCreateTable } from '../../src/mysql/catalog/create-table.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import type { Catalog, Table } from '../../src/mysql/catalog/types.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';

export async function run(endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await withConnection(endpoint, {}, async (connection) => {
    for (const statement of statements) await connection.execute(statement);
  });
}

export function catalogOf(endpoint: Endpoint, schemas: readonly string[]): Promise<Catalog> {
  return withConnection(endpoint, {}, (connection) => readCatalog(connection, schemas));
}

/** A column's collation, where it is its table's: MySQL spells it out or not by where it came from. */
function withoutInherited(table: Table) {
  const [charset] = table.collation.split('_');
  return (text: string) =>
    text.replace(
      new RegExp(`(?: CHARACTER SET ${charset})? COLLATE ${table.collation}(?= |$)`),
      '',
    );
}

/**
 * SHOW CREATE TABLE as it should be on a target with that lower_case_table_names: without the counter,
 * keys in the order of their texts, since those that the load needed come first on the target.
 */
export function expectedOn(lctn: number, table: Table): string {
  const { elements, tail } = parseCreateTable(table.createStatement);
  const fold = (text: string) => (lctn === 1 ? text.toLowerCase() : text);
  const inherited = withoutInherited(table);
  const clauses = elements.map(({ kind, text }) =>
    kind === 'foreign-key'
      ? text.replace(
          / REFERENCES (`(?:[^`]|``)*`(?:\.`(?:[^`]|``)*`)?) /,
          (found) => ` REFERENCES ${fold(found.slice(12))}`,
        )
      : inherited(text),
  );
  const keys = clauses.filter((_, at) => isKey(elements[at] as TableElement)).sort();
  const others = clauses.filter((_, at) => !isKey(elements[at] as TableElement));
  return [fold(table.name.name), ...others, ...keys, tail.replace(/ AUTO_INCREMENT=\d+/, '')].join(
    '\n',
  );
}

export const quiet = () => ({ signal: new AbortController().signal, onProgress: () => {} });
