import type { Connection } from '../connection.ts';
import { inDefinitionSession } from './definition-session.ts';
import { readEvents } from './events.ts';
import { fingerprintTables } from './fingerprint.ts';
import { readRoutines } from './routines.ts';
import { readSchemas } from './schemas.ts';
import { readTables } from './tables.ts';
import { readTriggers } from './triggers.ts';
import type { Catalog } from './types.ts';
import { readViews } from './views.ts';

/**
 * Everything that the schemas hold. Needs SELECT, SHOW VIEW, TRIGGER and EVENT on them and SHOW_ROUTINE
 * or SELECT globally; what the account may not see MySQL leaves out without a word, so preflight checks the
 * grants. Plain data: it survives JSON. A missing schema is CONFIG_INVALID.
 */
export async function readCatalog(
  connection: Connection,
  schemas: readonly string[],
): Promise<Catalog> {
  return inDefinitionSession(connection, async () => {
    const tables = await readTables(connection, schemas);
    return {
      schemas: await readSchemas(connection, schemas),
      tables,
      views: await readViews(connection, schemas),
      routines: await readRoutines(connection, schemas),
      triggers: await readTriggers(connection, schemas),
      events: await readEvents(connection, schemas),
      fingerprint: fingerprintTables(tables),
    };
  });
}
