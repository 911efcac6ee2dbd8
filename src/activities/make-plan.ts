import { recordHashes } from '../checkpoint/store.ts';
import { readChangesPerSecond } from '../mysql/change-rate.ts';
import { withConnection } from '../mysql/connection.ts';
import { makePlan as plan } from '../plan/make-plan.ts';
import { planHash } from '../plan/plan-hash.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runStep } from './step.ts';

export function makePlan(deps: ActivityDependencies): Activities['makePlan'] {
  return async ({ config, findings, engine, engines }) =>
    await runStep('preflight', async ({ signal }) => {
      const { catalog, source, target } = await openJob(deps, config, signal);
      const changesPerSecond = await withConnection(source, { signal }, readChangesPerSecond);
      const made = plan(config, catalog, findings, {
        assessments: engines,
        inUse: engine,
        changesPerSecond,
      });
      const hash = planHash(made);
      await withConnection(target, { signal }, (c) =>
        recordHashes(c, config.name, { planHash: hash }),
      );
      return { hash, plan: made };
    });
}
