import { remember, requireCheckpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Position } from '../mysql/position.ts';
import { converge as convergeRows } from '../reconcile/converge.ts';
import { engineRemains } from '../replicate/engine.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob, resolveTarget } from './job.ts';
import type { OpenEngine } from './engine.ts';
import { openEngine } from './engine.ts';
import { recordingLag } from './lag-history.ts';
import type { Step } from './step.ts';
import { STALLS_AFTER_MS, runStep } from './step.ts';

export function applyChanges(deps: ActivityDependencies): Activities['applyChanges'] {
  return async ({ config }) =>
    await runStep(
      'apply',
      async (step) => {
        const engine = await openEngine(deps, config, step.signal);
        await run(engine, config.name, step);
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
        // Started again over a run that had come further: two must not apply at once.
        await engineRemains(job).release(step.signal);
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

async function run({ engine, target }: OpenEngine, name: string, step: Step): Promise<void> {
  await recordingLag(target, name, (record) =>
    engine.apply({
      signal: step.signal,
      onProgress: (progress) => {
        record(progress.lagMs);
        step.report({ apply: progress });
      },
    }),
  );
}
