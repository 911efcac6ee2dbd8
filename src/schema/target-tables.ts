import { readTables } from '../mysql/catalog/tables.ts';
import type { Catalog, Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { displayName, spelledOn } from '../mysql/identifier.ts';
import type { QualifiedName } from '../mysql/identifier.ts';

/** The catalog's schemas as the target spells them. */
export function targetSchemas(catalog: Catalog, lctn: number): string[] {
  return [
    ...new Set(catalog.schemas.map(({ name }) => spelledOn({ schema: name, name }, lctn).schema)),
  ];
}

/** What the target has now; found by the source's names. Only in a session of `inTargetSession`. */
export async function readTargetTables(
  connection: Connection,
  catalog: Catalog,
  lctn: number,
): Promise<(name: QualifiedName) => Table | undefined> {
  const tables = await readTables(connection, targetSchemas(catalog, lctn));
  const byName = new Map(tables.map((table) => [displayName(table.name), table]));
  return (name) => byName.get(displayName(spelledOn(name, lctn)));
}
