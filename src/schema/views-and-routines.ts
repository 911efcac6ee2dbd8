import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { DefinerOptions } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { createRoutines } from './routines.ts';
import { inTargetSession } from './target-session.ts';
import { createViews } from './views.ts';

/**
 * Routines first: a view needs the functions that it calls, while a routine's body is not resolved
 * before it runs. A target with lower_case_table_names=1 folds the names in the texts by itself.
 */
export async function createViewsAndRoutines(
  target: Endpoint,
  catalog: Catalog,
  options: DefinerOptions,
): Promise<SchemaNote[]> {
  return inTargetSession(target, options.signal, async (connection) => [
    ...(await createRoutines(connection, catalog.routines, options)),
    ...(await createViews(connection, catalog.views, options)),
  ]);
}
