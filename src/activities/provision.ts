import { recordHashes, requireCheckpoint, setStartPosition } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import { readExecuted } from '../mysql/watermark.ts';
import { createSchemas } from '../schema/create-schemas.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { raiseRetention } from './retention.ts';
import { runStep } from './step.ts';

export function provision(deps: ActivityDependencies): Activities['provision'] {
  return async ({ config }) =>
    await runStep('provision', async ({ signal, report }) => {
      const { source, target, catalog, lctn } = await openJob(deps, config, signal);
      return await withConnection(source, { signal }, (from) =>
        withConnection(target, { signal }, async (to) => {
          const changes = await raiseRetention(from, to, config.name);
          report({ step: 'starting position' });
          await setStartPosition(to, config.name, await readExecuted(from));
          // Read after the position: a table changed in between is met again in the binlog.
          await recordHashes(to, config.name, { catalogHash: catalog.fingerprint });
          await openJob(deps, config, signal);
          await createSchemas(target, catalog, lctn);
          const { position } = await requireCheckpoint(to, config.name);
          if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
          return { position, changes };
        }),
      );
    });
}
