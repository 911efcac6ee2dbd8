import { requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { applyChanges as apply } from '../replicate/apply-changes.ts';
import type { OfMigration, Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Job } from './job.ts';
import { openJob, resolveTarget } from './job.ts';
import { recordingLag } from './lag-history.ts';
import type { Step } from './step.ts';
import { STALLS_AFTER_MS, runStep } from './step.ts';

export function applyChanges(deps: ActivityDependencies): Activities['applyChanges'] {
  return async ({ config }) =>
    await runStep(
      'apply',
      async (step) => {
        await run(await openJob(deps, config, step.signal), config, step);
        throw new SkyferryFailure('INTERNAL', 'the change capture ended though nobody stopped it');
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}

export function converge(deps: ActivityDependencies): Activities['converge'] {
  return async ({ config }) =>
    await runStep(
      'apply',
      async (step) => {
        const target = await resolveTarget(deps, config);
        const { high, position } = await withConnection(target, { signal: step.signal }, (c) =>
          requireCheckpoint(c, config.name),
        );
        if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
        // Nothing was copied (no tables): nothing has to become exact.
        if (high === null) return position;
        return await run(await openJob(deps, config, step.signal), config, step, high);
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}

async function run(
  job: Job,
  { limits }: OfMigration['config'],
  { signal, report }: Step,
  until?: FilePosition,
): Promise<Position> {
  return await recordingLag(job.target, job.migration, (record) =>
    apply(
      { ...job, batchRows: limits.applyBatchRows, until },
      {
        signal,
        onProgress: (progress) => {
          record(progress.lagMs);
          report({ apply: progress });
        },
      },
    ),
  );
}
