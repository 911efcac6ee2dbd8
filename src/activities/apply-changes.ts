import { remember, requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { reconcile } from '../reconcile/reconcile.ts';
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
        const { high, start } = await withConnection(target, { signal: step.signal }, (c) =>
          whereItBegan(c, config.name),
        );
        // Nothing was copied (no tables): nothing has to become exact.
        if (high === null) return { rounds: 0, repaired: [] };
        const job = await openJob(deps, config, step.signal);
        await run(job, config, step, high);
        const { chunkRows, parallel } = config.verification;
        return await reconcile(
          { ...job, start, chunkRows, parallel, batchRows: config.limits.applyBatchRows },
          { signal: step.signal, onProgress: step.report },
        );
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}

/** The position moves on from the first try on; the next one must know where change capture began. */
async function whereItBegan(
  target: Connection,
  name: string,
): Promise<{ high: FilePosition | null; start: Position }> {
  const { high, position, remembered } = await requireCheckpoint(target, name);
  if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
  const known = remembered['convergesFrom'] as Position | undefined;
  if (known !== undefined) return { high, start: known };
  await remember(target, name, { convergesFrom: position });
  return { high, start: position };
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
