import { withConnection } from '../mysql/connection.ts';
import { compareTables } from '../verify/compare-tables.ts';
import { rememberNamedRows } from '../verify/named-rows.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { listedTables } from './listed-tables.ts';
import { runStep } from './step.ts';

export function verifyTables(deps: ActivityDependencies): Activities['verifyTables'] {
  return async ({ config }) =>
    await runStep('verify', async ({ signal, report }) => {
      const job = await openJob(deps, config, signal);
      const { chunkRows, parallel } = config.verification;
      const { differing, differingCount, unsettled, ...verdict } = await compareTables(
        { ...job, chunkRows, parallel },
        { signal, onProgress: (progress) => report({ verify: progress }) },
      );
      await withConnection(job.target, { signal }, (c) =>
        rememberNamedRows(c, config.name, { differing, unsettled }),
      );
      return {
        equal: verdict.equal,
        position: verdict.position,
        rows: verdict.rows,
        seconds: verdict.seconds,
        differing: differingCount,
        tables: listedTables(verdict.tables, (table) => table.differing > 0),
      };
    });
}
