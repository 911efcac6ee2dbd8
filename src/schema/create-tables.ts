import { SkyferryFailure } from '../failures.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import { displayName } from '../mysql/identifier.ts';
import { attempt } from './attempt.ts';
import { loadDefinition } from './table-definition.ts';
import { bodyDifferences } from './table-differences.ts';
import { inTargetSession } from './target-session.ts';
import { readTargetTables } from './target-tables.ts';

/**
 * Creates the tables for the full load (see `loadDefinition`); returns those it created, as the source
 * spells them. A table that is there is left when its columns are the source's, else it is
 * MIGRATION_CONFLICT and nothing is created.
 */
export async function createTables(
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
): Promise<QualifiedName[]> {
  return inTargetSession(target, undefined, async (connection) => {
    const existing = await readTargetTables(connection, catalog, lctn);
    const missing = catalog.tables.filter((table) => existing(table.name) === undefined);
    for (const table of catalog.tables) {
      const found = existing(table.name);
      const [difference] = found === undefined ? [] : bodyDifferences(table, found);
      if (difference !== undefined) throw conflict(table.name, difference);
    }
    for (const table of missing) {
      await attempt(`create table ${displayName(table.name)}`, () =>
        connection.execute(loadDefinition(table, lctn)),
      );
    }
    return missing.map((table) => table.name);
  });
}

function conflict(name: QualifiedName, difference: string): SkyferryFailure {
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `table ${displayName(name)} exists on the target with another definition: ${difference}`,
    {
      safe: 'no table was created or changed',
      next: 'drop or rename that table on the target, then retry',
    },
  );
}
