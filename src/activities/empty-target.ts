import { acquireEpoch, assertEpoch, hasSwitchBegun } from '../checkpoint/epoch.ts';
import { forgetProgress } from '../checkpoint/forget-progress.ts';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import { beTheApplier, endFormerSession } from '../replicate/apply-session.ts';
import { emptySchemas } from '../schema/empty-schemas.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openRemains } from './engine.ts';
import { resolveTarget } from './job.ts';
import { runStep } from './step.ts';

/** The position goes last: until then a repeated call finds everything that is still to be removed. */
export function emptyTarget(deps: ActivityDependencies): Activities['emptyTarget'] {
  return async ({ config }) =>
    await runStep('provision', async ({ signal, report }) => {
      const target = await resolveTarget(deps, config);
      await withConnection(target, { signal }, (to) => refuseSwitched(to, config.name));
      report({ step: 'replication' });
      const undone = await (await openRemains(deps, config)).end(signal);
      return await withConnection(target, { signal }, async (to) => {
        // Whoever applied or copied until now can commit nothing more.
        const holder = { name: config.name, epoch: await acquireEpoch(to, config.name) };
        await endFormerSession(to, config.name);
        // Without a position nothing was loaded, and what is there may be somebody else's.
        const { position } = await requireCheckpoint(to, config.name);
        if (position === null) return undone;
        report({ step: 'dropping what was loaded' });
        const tables = await emptySchemas(target, config.schemas, {
          signal,
          // A successor ends this session: a worker that was frozen here must not drop what is loaded next.
          begin: async (connection) => {
            await beTheApplier(connection, config.name);
            await assertEpoch(connection, holder);
          },
        });
        await forgetProgress(to, holder);
        return [...undone, `emptied the target: ${tables} tables were dropped`];
      });
    });
}

async function refuseSwitched(target: Connection, name: string): Promise<void> {
  const { state } = await requireCheckpoint(target, name);
  if (state === 'active' && !(await hasSwitchBegun(target, name))) return;
  throw new SkyferryFailure('INTERNAL', 'a target that consumers were switched to is not emptied', {
    safe: 'nothing was dropped',
  });
}
