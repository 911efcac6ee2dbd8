import { readCheckpoint, removeCheckpoint } from '../checkpoint/store.ts';
import { configHash } from '../config/hash.ts';
import { readCatalog } from '../mysql/catalog/read.ts';
import { withConnection } from '../mysql/connection.ts';
import { readLowerCaseTableNames } from '../mysql/server-facts.ts';
import { dropMigratedTables } from '../schema/drop-migrated-tables.ts';
import type { Activities } from './contract.ts';
import { undoCutover } from './cut-over.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openRemains } from './engine.ts';
import { resolveSides } from './job.ts';
import { restoreRetentionIfPossible } from './retention.ts';
import { runStep } from './step.ts';

/** The checkpoint goes last, because everything else is found by it when this is repeated. */
export function abortMigration(deps: ActivityDependencies): Activities['abortMigration'] {
  return async ({ config, dropTarget }) =>
    await runStep('provision', async ({ signal, report }) => {
      const { source, target } = await resolveSides(deps, config);
      return await withConnection(target, { signal }, async (to) => {
        const checkpoint = await readCheckpoint(to, config.name);
        // None, or another migration's of that name: nothing here is ours.
        if (checkpoint === null || checkpoint.configHash !== configHash(config)) {
          return { refused: false, undone: [] };
        }
        if (checkpoint.state !== 'active') return { refused: true, undone: [] };
        const undone: string[] = [];
        report({ step: 'fence' });
        const { switched } = await undoCutover(deps, config, signal);
        if (switched) return { refused: true, undone: [] };
        report({ step: 'replication' });
        const remains = await openRemains(deps, config);
        undone.push(...(await remains.end(signal)));
        undone.push(...(await restoreRetentionIfPossible(source, to, config.name, signal)));
        if (dropTarget && checkpoint.position !== null) {
          report({ step: 'dropping the copied tables' });
          const catalog = await withConnection(source, { signal }, (from) =>
            readCatalog(from, config.schemas),
          );
          await dropMigratedTables(target, catalog, await readLowerCaseTableNames(to));
          undone.push('dropped the copied tables and programs');
        } else if (checkpoint.position !== null) {
          undone.push('left what was copied on the target: drop it before another start');
        }
        await removeCheckpoint(to, config.name);
        undone.push('removed the checkpoint');
        return { refused: false, undone };
      });
    });
}
