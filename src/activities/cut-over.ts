import { resolveFence } from '../config/endpoints.ts';
import type { LocatedConfig } from '../config/located.ts';
import { durationMs } from '../config/schema.ts';
import { cutOver as run, settleCutover as settle } from '../cutover/cutover.ts';
import { resolveWindow } from '../cutover/maintenance-window.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { awaitLag } from '../replicate/await-lag.ts';
import type { SettledCutover } from '../workflows/results.ts';
import { resolveConsumers } from './consumers.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openRemains } from './engine.ts';
import { fencesToLower, openFence } from './fence.ts';
import { openJob, resolveSides } from './job.ts';
import { runStep } from './step.ts';

export function cutOver(deps: ActivityDependencies): Activities['cutOver'] {
  return async ({ config, verifiedAt }) =>
    await runStep('cutover', async ({ signal, report }) => {
      const opened = await openJob(deps, config, signal);
      const job = {
        ...opened,
        ...(await openFence(deps, config, opened.source, signal)),
        verifiedAt,
        ...(config.engine !== 'built-in' && { detach: (await openRemains(deps, config)).detach }),
        consumers: await resolveConsumers(deps, config),
        downtimeBudgetMs: durationMs(config.cutover.downtimeBudget),
        parallel: config.verification.parallel,
        mayProceed: async (until: AbortSignal) => {
          await refuseLag(opened.target, config, until);
          refuseClosedWindow(config, deps.now());
        },
      };
      return await run(job, { signal, onStep: (step) => report({ step }) });
    });
}

export function settleCutover(deps: ActivityDependencies): Activities['settleCutover'] {
  return async ({ config }) =>
    await runStep('cutover', async ({ signal }) => await undoCutover(deps, config, signal));
}

/** Un-fences and undoes, unless the switch has begun. Safe to repeat, also when nothing was begun. */
export async function undoCutover(
  deps: ActivityDependencies,
  config: LocatedConfig,
  signal: AbortSignal,
): Promise<SettledCutover> {
  const account = await resolveFence(config, deps.secrets);
  // Without an account that may fence, no cutover can have begun.
  if (account === undefined) return { switched: false };
  const { source, target } = await resolveSides(deps, config);
  const fenceOf = fencesToLower(deps, config, source, account);
  return await settle({ target, fenceOf, migration: config.name }, { signal });
}

/** Comparing under writes may have taken longer than the window was still open. */
function refuseClosedWindow({ cutover: { window } }: LocatedConfig, now: Date): void {
  if (window === undefined) return;
  const { opensAt } = resolveWindow(window, now.toISOString());
  if (Date.parse(opensAt) <= now.getTime()) return;
  throw new SkyferryFailure('NOT_QUIESCENT', 'the maintenance window closed before the fence', {
    safe: 'nothing was fenced; the source takes writes',
    next: `retry-phase, and approve again when it opens at ${opensAt}`,
  });
}

/** A single late sample is no reason: it may catch up within a while. */
const LAG_PATIENCE_MS = 15_000;

async function refuseLag(
  target: Endpoint,
  { name, cutover }: LocatedConfig,
  signal: AbortSignal,
): Promise<void> {
  const patience = AbortSignal.timeout(LAG_PATIENCE_MS);
  try {
    await awaitLag(target, name, {
      thresholdMs: durationMs(cutover.lagThreshold),
      samples: 1,
      intervalMs: 250,
      signal: AbortSignal.any([signal, patience]),
      onProgress: () => {},
    });
    return;
  } catch (error) {
    if (signal.aborted || !patience.aborted) throw error;
  }
  throw new SkyferryFailure(
    'NOT_QUIESCENT',
    `changes are applied more than ${cutover.lagThreshold} late: draining them would be downtime`,
    {
      safe: 'nothing was fenced; the source takes writes',
      next: 'retry-phase waits until it has caught up; then approve again',
    },
  );
}
