import { resolveEndpoint, resolveFence } from '../config/endpoints.ts';
import type { MigrationConfig } from '../config/schema.ts';
import { durationMs } from '../config/schema.ts';
import { cutOver as run, settleCutover as settle } from '../cutover/cutover.ts';
import { SkyferryFailure } from '../failures.ts';
import type { SettledCutover } from '../workflows/results.ts';
import { resolveConsumers } from './consumers.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runBriefly, runStep } from './step.ts';

export function cutOver(deps: ActivityDependencies): Activities['cutOver'] {
  return async ({ config, verifiedAt }) =>
    await runStep('cutover', async ({ signal, report }) => {
      const fence = await resolveFence(config, deps.secrets);
      if (fence === undefined) throw noFence();
      const job = {
        ...(await openJob(deps, config, signal)),
        fence,
        verifiedAt,
        consumers: await resolveConsumers(deps, config),
        downtimeBudgetMs: durationMs(config.cutover.downtimeBudget),
        parallel: config.verification.parallel,
      };
      return await run(job, { signal, onStep: (step) => report({ step }) });
    });
}

export function settleCutover(deps: ActivityDependencies): Activities['settleCutover'] {
  return async ({ config }) =>
    await runBriefly(async (signal) => await undoCutover(deps, config, signal));
}

/** Un-fences and undoes, unless the switch has begun. Safe to repeat, also when nothing was begun. */
export async function undoCutover(
  deps: ActivityDependencies,
  config: MigrationConfig,
  signal: AbortSignal,
): Promise<SettledCutover> {
  const fence = await resolveFence(config, deps.secrets);
  // Without an account that may fence, no cutover can have begun.
  if (fence === undefined) return { switched: false };
  const target = await resolveEndpoint(config.target, deps.secrets);
  return await settle({ target, fence, migration: config.name }, { signal });
}

function noFence(): SkyferryFailure {
  return new SkyferryFailure('CONFIG_INVALID', 'source.fence names no account', {
    safe: 'nothing was changed on the source',
    next: 'abort, name an account that may stop writes under source.fence, and start again',
  });
}
