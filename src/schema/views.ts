import { byKey } from '../mysql/catalog/text.ts';
import type { View } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { errnoOf } from './attempt.ts';
import type { DefinerOptions } from './create-program.ts';
import { createProgram } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { orReplace } from './program-header.ts';

/** A table, view, column or function that a view names is not there (yet), or is itself invalid. */
const NOT_THERE_YET = [1146, 1356, 1054, 1305, 1049, 1052];

/**
 * Creates or replaces the views. One that needs another waits for it: whatever fails for lack of an
 * object is tried again as long as a round gets on. What then remains names objects that no longer
 * exist on the source either, or lie outside of the migration: it is noted.
 */
export async function createViews(
  connection: Connection,
  views: readonly View[],
  options: DefinerOptions,
): Promise<SchemaNote[]> {
  const notes: SchemaNote[] = [];
  let waiting = views;
  for (let progress = true; progress && waiting.length > 0;) {
    const again: View[] = [];
    for (const view of waiting) {
      try {
        notes.push(
          ...(await createProgram(
            connection,
            'view',
            view,
            options,
            orReplace(view.createStatement),
          )),
        );
      } catch (error) {
        if (!NOT_THERE_YET.includes(errnoOf(error) ?? 0)) throw error;
        again.push(view);
      }
    }
    progress = again.length < waiting.length;
    waiting = again;
  }
  const inOrder = byKey((note: SchemaNote) => displayName(note.name));
  return [...notes, ...waiting.map(invalid)].sort(inOrder);
}

function invalid(view: View): SchemaNote {
  return {
    kind: 'view',
    name: view.name,
    code: 'INVALID_ON_SOURCE',
    text: 'not created: it names a table, column or function that does not exist in the migrated schemas',
  };
}
