import { SkyferryFailure } from '../failures.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openEngine } from './engine.ts';
import { recordingLag } from './lag-history.ts';
import { STALLS_AFTER_MS, runStep } from './step.ts';

export function applyChanges(deps: ActivityDependencies): Activities['applyChanges'] {
  return async ({ config }) =>
    await runStep(
      'apply',
      async ({ signal, report }) => {
        const { engine, job } = await openEngine(deps, config, signal);
        await recordingLag(job.target, job.migration, (record) =>
          engine.apply({
            signal,
            onProgress: (progress) => {
              record(progress.lagMs);
              report({ apply: progress });
            },
          }),
        );
        throw new SkyferryFailure('INTERNAL', 'the change capture ended though nobody stopped it');
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}

export function converge(deps: ActivityDependencies): Activities['converge'] {
  return async ({ config }) =>
    await runStep(
      'apply',
      async ({ signal, report }) => {
        const { engine, job } = await openEngine(deps, config, signal);
        return await recordingLag(job.target, job.migration, (record) =>
          engine.converge({
            signal,
            onProgress: (progress) => {
              if (progress.apply !== undefined) record(progress.apply.lagMs);
              report(progress);
            },
          }),
        );
      },
      { stallsAfterMs: STALLS_AFTER_MS },
    );
}
