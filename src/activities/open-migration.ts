import { createCheckpoint } from '../checkpoint/store.ts';
import { resolveEndpoint } from '../config/endpoints.ts';
import { contentHash } from '../config/hash.ts';
import { withConnection } from '../mysql/connection.ts';
import { readServerUuid } from '../mysql/server-facts.ts';
import { activityInfo } from '@temporalio/activity';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

export function openMigration({ secrets }: ActivityDependencies): Activities['openMigration'] {
  return async ({ config }) =>
    await runStep('preflight', async ({ signal }) => {
      const source = await resolveEndpoint(config.source, secrets);
      const target = await resolveEndpoint(config.target, secrets);
      const sourceUuid = await withConnection(source, { signal }, readServerUuid);
      const taken = await withConnection(target, { signal }, (c) =>
        createCheckpoint(c, {
          name: config.name,
          configHash: contentHash(config),
          workflowRun: activityInfo().workflowExecution?.runId ?? '',
          sourceUuid,
        }),
      );
      return { resumed: taken === 'resumed' };
    });
}
