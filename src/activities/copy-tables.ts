import { copyTables as copy } from '../copy/copy-tables.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { STALLS_AFTER_MS, runStep } from './step.ts';

export function copyTables(deps: ActivityDependencies): Activities['copyTables'] {
  return async ({ config }) =>
    await runStep(
      'copy',
      async ({ signal, report }) => {
        const job = await openJob(deps, config, signal);
        const { copyParallel, chunkRows } = config.limits;
        return await copy(
          { ...job, parallel: copyParallel, chunkRows },
          { signal, onProgress: (progress) => report({ copy: progress }) },
        );
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}
