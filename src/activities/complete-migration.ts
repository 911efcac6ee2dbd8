import { markCompleted } from '../checkpoint/store.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openRemains } from './engine.ts';
import { resolveSides } from './job.ts';
import { readLagHistory } from './lag-history.ts';
import { restoreRetentionIfPossible } from './retention.ts';
import { runStep } from './step.ts';

/** The checkpoint stays: it refuses a second migration of the same name, and the report reads it. */
export function completeMigration(deps: ActivityDependencies): Activities['completeMigration'] {
  return async ({ config }) =>
    await runStep('provision', async ({ signal }) => {
      const { source, target } = await resolveSides(deps, config);
      return await withConnection(target, { signal }, async (to) => {
        const notes = [
          ...(await (await openRemains(deps, config)).end(signal)),
          ...(await restoreRetentionIfPossible(source, to, config.name, signal)),
        ];
        await markCompleted(to, config.name);
        return { notes, lag: await readLagHistory(target, config.name) };
      });
    });
}
