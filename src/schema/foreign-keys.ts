import type { Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { displayName, qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import { attempt, errnoOf } from './attempt.ts';
import type { SchemaOptions, TargetSchemaJob } from './job.ts';
import type { ForeignKeyChange } from './table-definition.ts';
import { foreignKeyClause, missingForeignKeys } from './table-definition.ts';
import { inTargetSession } from './target-session.ts';
import { readTargetKeys } from './target-tables.ts';

const NOT_SUPPORTED = [1845, 1846];
const OVERTAKEN = [1826, 1091, 1213];

/**
 * Adds the catalog's foreign keys unchecked: checked, MySQL rebuilds the table. `findOrphans` does the
 * checking. One table after the other, because a foreign key locks its parent's definition too.
 */
export async function addForeignKeys(
  { target, catalog, lctn }: TargetSchemaJob,
  { signal, onProgress }: SchemaOptions,
): Promise<void> {
  const tables = catalog.tables.filter((table) => table.foreignKeys.length > 0);
  await inTargetSession(target, signal, async (connection) => {
    let done = 0;
    for (const table of tables) {
      onProgress({ step: 'foreign-keys', done, total: tables.length, current: [table.name] });
      for (let round = 1; ; round += 1) {
        const found = await readTargetKeys(connection, table.name, lctn);
        const changes = found === null ? [] : missingForeignKeys(table, found, lctn);
        if (changes.length === 0) break;
        try {
          await attempt(`add foreign keys of ${displayName(table.name)}`, () =>
            addTo(connection, table, changes, lctn),
          );
        } catch (error) {
          if (!OVERTAKEN.includes(errnoOf(error) ?? 0) || round === 5) throw error;
        }
      }
      done += 1;
    }
    onProgress({ step: 'foreign-keys', done, total: tables.length, current: [] });
  });
}

async function addTo(
  connection: Connection,
  table: Table,
  changes: readonly ForeignKeyChange[],
  lctn: number,
): Promise<void> {
  const alter = `ALTER TABLE ${qualify(spelledOn(table.name, lctn))}`;
  // A foreign key cannot be dropped and added under its name in one statement.
  for (const { foreignKey, drop } of changes) {
    if (drop)
      await connection.execute(`${alter} DROP FOREIGN KEY ${quoteIdentifier(foreignKey.name)}`);
  }
  const statement = `${alter} ${changes.map(({ foreignKey }) => `ADD ${foreignKeyClause(foreignKey, lctn)}`).join(', ')}`;
  try {
    await connection.execute(`${statement}, ALGORITHM=INPLACE`);
  } catch (error) {
    if (!NOT_SUPPORTED.includes(errnoOf(error) ?? 0)) throw error;
    await connection.execute(statement);
  }
}
