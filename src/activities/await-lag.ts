import { durationMs } from '../config/schema.ts';
import { awaitLag as wait } from '../replicate/await-lag.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { resolveTarget } from './job.ts';
import { runStep } from './step.ts';

/** How far apart two samples of lag are. */
export const SAMPLE_MS = 1_000;

export function awaitLag(deps: ActivityDependencies): Activities['awaitLag'] {
  return async ({ config }) =>
    await runStep('lag', async ({ signal, report }) => {
      const { lagThreshold, lagSamples } = config.cutover;
      return await wait(await resolveTarget(deps, config), config.name, {
        thresholdMs: durationMs(lagThreshold),
        samples: lagSamples,
        intervalMs: SAMPLE_MS,
        signal,
        onProgress: ({ lagMs }) => report({ step: `lag ${(lagMs / 1000).toFixed(1)} s` }),
      });
    });
}
