import type { Catalog } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName, qualify, spelledOn } from '../mysql/identifier.ts';
import { attempt, errnoOf } from './attempt.ts';
import { inTargetSession } from './target-session.ts';

const NO_SUCH_SCHEMA = 1049;

/**
 * Drops from the target what the catalog names and nothing else; the schemas stay. Triggers go with
 * their tables. `begin` is called in the session that drops, before it does.
 */
export async function dropMigratedTables(
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
  begin: (connection: Connection) => Promise<void> = async () => {},
): Promise<void> {
  const drops = [
    ...catalog.events.map(({ name }) => ({ kind: 'EVENT', name })),
    ...catalog.views.map(({ name }) => ({ kind: 'VIEW', name })),
    ...catalog.routines.map(({ kind, name }) => ({ kind, name })),
    ...catalog.tables.map(({ name }) => ({ kind: 'TABLE', name })),
  ];
  await inTargetSession(target, undefined, async (connection) => {
    await begin(connection);
    for (const { kind, name } of drops) {
      try {
        await attempt(`drop ${kind.toLowerCase()} ${displayName(name)}`, () =>
          connection.execute(`DROP ${kind} IF EXISTS ${qualify(spelledOn(name, lctn))}`),
        );
      } catch (error) {
        if (errnoOf(error) !== NO_SUCH_SCHEMA) throw error;
      }
    }
  });
}
