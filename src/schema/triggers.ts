import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { DefinerOptions } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { replaceProgram } from './replace-program.ts';
import { inTargetSession } from './target-session.ts';

/** In the catalog's order, which is the order in which they fire. Only after the last replayed row. */
export async function createTriggers(
  target: Endpoint,
  catalog: Catalog,
  options: DefinerOptions,
): Promise<SchemaNote[]> {
  return inTargetSession(target, options.signal, async (connection) => {
    const notes: SchemaNote[] = [];
    for (const trigger of catalog.triggers) {
      notes.push(
        ...(await replaceProgram(connection, 'trigger', trigger, options, trigger.createStatement)),
      );
    }
    return notes;
  });
}
