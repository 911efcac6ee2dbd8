import { createTables as create } from '../schema/create-tables.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runStep } from './step.ts';

export function createTables(deps: ActivityDependencies): Activities['createTables'] {
  return async ({ config }) =>
    await runStep('schema', async ({ signal }) => {
      const { target, catalog, lctn } = await openJob(deps, config, signal);
      await create(target, catalog, lctn);
      return { tables: catalog.tables.length };
    });
}
