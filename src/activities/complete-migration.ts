import { markCompleted } from '../checkpoint/store.ts';
import { isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { resolveSides } from './job.ts';
import { restoreRetention } from './retention.ts';
import { runStep } from './step.ts';

/** The checkpoint stays: it refuses a second migration of the same name, and the report reads it. */
export function completeMigration(deps: ActivityDependencies): Activities['completeMigration'] {
  return async ({ config }) =>
    await runStep('provision', async ({ signal }) => {
      const { source, target } = await resolveSides(deps, config);
      const notes = await putRetentionBack(source, target, config.name, signal);
      await withConnection(target, { signal }, (to) => markCompleted(to, config.name));
      return { notes };
    });
}

/**
 * The source is fenced now, so it may refuse the change, and it may be switched off already: neither
 * keeps a migration whose rows are safe from completing. What is left to do is said.
 */
async function putRetentionBack(
  source: Endpoint,
  target: Endpoint,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  return await withConnection(target, { signal }, async (to) => {
    try {
      return await withConnection(source, { signal }, (from) => restoreRetention(from, to, name));
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      return [
        `the source's binlog retention could not be put back (${error.code}, errno ${error.detail.errno ?? 'none'}): once the fence is lifted, CALL mysql.rds_set_configuration('binlog retention hours', …) with the value before`,
      ];
    }
  });
}
