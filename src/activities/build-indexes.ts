import { addForeignKeys } from '../schema/foreign-keys.ts';
import { analyzeTables } from '../schema/analyze-tables.ts';
import { buildIndexes as build } from '../schema/build-indexes.ts';
import type { SchemaProgress } from '../schema/job.ts';
import { displayName } from '../mysql/identifier.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runStep } from './step.ts';

/** No limit on its silence: one ALTER TABLE takes as long as it takes. */
export function buildIndexes(deps: ActivityDependencies): Activities['buildIndexes'] {
  return async ({ config }) =>
    await runStep('indexes', async ({ signal, report }) => {
      const job = {
        ...(await openJob(deps, config, signal)),
        parallel: config.limits.indexParallel,
      };
      const onProgress = (progress: SchemaProgress) => report({ step: describe(progress) });
      await build(job, { signal, onProgress });
      await addForeignKeys(job, { signal, onProgress });
      report({ step: 'statistics' });
      await analyzeTables(job.target, job.catalog, job.lctn, { signal });
    });
}

function describe({ step, done, total, current }: SchemaProgress): string {
  const names = current.map(displayName).slice(0, 5).join(', ');
  return `${step} ${done}/${total}${names === '' ? '' : `: ${names}`}`;
}
