import { createViewsAndRoutines as create } from '../schema/views-and-routines.ts';
import { displayName } from '../mysql/identifier.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runStep } from './step.ts';

export function createViewsAndRoutines(
  deps: ActivityDependencies,
): Activities['createViewsAndRoutines'] {
  return async ({ config }) =>
    await runStep('schema', async ({ signal }) => {
      const { target, catalog } = await openJob(deps, config, signal);
      const notes = await create(target, catalog, { definers: 'keep', signal });
      return {
        notes: notes.map(({ kind, name, text }) => `${kind} ${displayName(name)}: ${text}`),
      };
    });
}
