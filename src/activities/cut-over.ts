import { resolveLogins } from '../config/logins.ts';
import { durationMs } from '../config/schema.ts';
import type { MigrationConfig } from '../config/schema.ts';
import { cutOver as run, settleCutover as settle } from '../cutover/cutover.ts';
import type { Switch } from '../cutover/switches/switch.ts';
import { createCommandSwitch } from '../cutover/switches/command.ts';
import { createFileSwitch } from '../cutover/switches/file.ts';
import { SkyferryFailure } from '../failures.ts';
import type { SettledCutover } from '../workflows/results.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';
import { runBriefly, runStep } from './step.ts';

export function cutOver(deps: ActivityDependencies): Activities['cutOver'] {
  return async ({ config, verifiedAt }) =>
    await runStep('cutover', async ({ signal, report }) => {
      const job = await openJob(deps, config, signal);
      return await run(
        { ...job, ...(await cutoverParts(deps, config)), verifiedAt },
        { signal, onStep: (step) => report({ step }) },
      );
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
  const { source, target } = await resolveLogins(config, deps.secrets);
  return await settle(
    { source, target, migration: config.name, ...(await cutoverParts(deps, config)) },
    { signal },
  );
}
