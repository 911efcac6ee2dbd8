import { guardBinlog as guard } from '../prepare/source/guard-binlog.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { resolveSides } from './job.ts';
import { runStep } from './step.ts';

const INTERVAL_MS = 60_000;

export function guardBinlog(deps: ActivityDependencies): Activities['guardBinlog'] {
  return async ({ config, etaHours, known }) =>
    await runStep('prepare', async ({ signal, report }) => {
      const sides = await resolveSides(deps, config);
      const job = { ...sides, config, aws: deps.clouds.aws, etaHours, intervalMs: INTERVAL_MS };
      return await guard(job, known, { signal, onProgress: (step) => report({ step }) });
    });
}
