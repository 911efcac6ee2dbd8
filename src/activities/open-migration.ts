import { createCheckpoint } from '../checkpoint/take-name.ts';
import { resolveEndpoint, resolveFence } from '../config/endpoints.ts';
import { configHash } from '../config/hash.ts';
import { settleEarlierCutover } from '../cutover/cutover.ts';
import { withConnection } from '../mysql/connection.ts';
import { readServerUuid } from '../mysql/server-facts.ts';
import { activityInfo } from '@temporalio/activity';
import type { Activities } from './contract.ts';
import { fencesToLower } from './fence.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

/** Nothing else is done before a source that an earlier run left fenced takes writes again. */
export function openMigration(deps: ActivityDependencies): Activities['openMigration'] {
  const { secrets } = deps;
  return async ({ config }) =>
    await runStep('preflight', async ({ signal }) => {
      const source = await resolveEndpoint(config.source, secrets);
      const target = await resolveEndpoint(config.target, secrets);
      const sourceUuid = await withConnection(source, { signal }, readServerUuid);
      const taken = await withConnection(target, { signal }, (c) =>
        createCheckpoint(c, {
          name: config.name,
          configHash: configHash(config),
          workflowRun: activityInfo().workflowExecution?.runId ?? '',
          sourceUuid,
        }),
      );
      const account = taken === 'resumed' ? await resolveFence(config, secrets) : undefined;
      // Without an account that may fence, no cutover can have begun.
      if (account !== undefined) {
        const fenceOf = fencesToLower(deps, config, source, account);
        await settleEarlierCutover({ target, fenceOf, migration: config.name }, { signal });
      }
      return { resumed: taken === 'resumed' };
    });
}
