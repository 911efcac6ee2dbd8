import { remember, requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Position } from '../mysql/position.ts';
import { converge as convergeRows } from '../reconcile/converge.ts';
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
        const start = await withConnection(target, { signal: step.signal }, (c) =>
          whereItBegan(c, config.name),
        );
        const job = await openJob(deps, config, step.signal);
        const { chunkRows, parallel } = config.verification;
        const batchRows = config.limits.applyBatchRows;
        return await recordingLag(job.target, job.migration, (record) =>
          convergeRows(
            { ...job, start, chunkRows, parallel, batchRows },
            {
              signal: step.signal,
              onProgress: (progress) => {
                if (progress.apply !== undefined) record(progress.apply.lagMs);
                step.report(progress);
              },
            },
          ),
        );
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}

/** The position moves on from the first try on; the next one must know where change capture began. */
async function whereItBegan(target: Connection, name: string): Promise<Position> {
  const { position, remembered } = await requireCheckpoint(target, name);
  if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
  const known = remembered['convergesFrom'] as Position | undefined;
  if (known === undefined) await remember(target, name, { convergesFrom: position });
  return known ?? position;
}

async function run(
  job: Job,
  { limits }: OfMigration['config'],
  { signal, report }: Step,
): Promise<Position> {
  return await recordingLag(job.target, job.migration, (record) =>
    apply(
      { ...job, batchRows: limits.applyBatchRows },
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
