import { lowerTtls as lower, restoreTtls as restore } from '../cutover/lower-ttls.ts';
import { resolveConsumers } from './consumers.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

export function lowerTtls(deps: ActivityDependencies): Activities['lowerTtls'] {
  return async ({ config }) =>
    await runStep(
      'prepare',
      async ({ signal }) => await lower(await resolveConsumers(deps, config), signal),
    );
}

export function restoreTtls(deps: ActivityDependencies): Activities['restoreTtls'] {
  return async ({ config, ttls }) =>
    await runStep(
      'prepare',
      async ({ signal }) => await restore(await resolveConsumers(deps, config), ttls, signal),
    );
}
