import type { MigrationConfig } from '../config/schema.ts';
import { durationMs } from '../config/schema.ts';
import type { LagOptions } from '../replicate/await-lag.ts';
import {
  awaitLag as awaitLow,
  readLag as read,
  watchLag as awaitHigh,
} from '../replicate/await-lag.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { resolveTarget } from './job.ts';
import type { Step } from './step.ts';
import { runBriefly, runStep } from './step.ts';

const SAMPLE_MS = 1_000;

export function awaitLag(deps: ActivityDependencies): Activities['awaitLag'] {
  return async ({ config }) =>
    await runStep('lag', async (step) =>
      awaitLow(await resolveTarget(deps, config), config.name, options(config, step)),
    );
}

export function watchLag(deps: ActivityDependencies): Activities['watchLag'] {
  return async ({ config }) =>
    await runStep('lag', async (step) =>
      awaitHigh(await resolveTarget(deps, config), config.name, options(config, step)),
    );
}

export function readLag(deps: ActivityDependencies): Activities['readLag'] {
  return async ({ config }) =>
    await runBriefly(async () => read(await resolveTarget(deps, config), config.name));
}

function options({ cutover }: MigrationConfig, { signal, report }: Step): LagOptions {
  return {
    thresholdMs: durationMs(cutover.lagThreshold),
    samples: cutover.lagSamples,
    intervalMs: SAMPLE_MS,
    signal,
    onProgress: ({ lagMs }) => report({ step: `lag ${(lagMs / 1000).toFixed(1)} s` }),
  };
}
