import { resolveLogins } from '../config/logins.ts';
import { runPreflight as runChecks } from '../preflight/run.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

export function runPreflight({ secrets }: ActivityDependencies): Activities['runPreflight'] {
  return async ({ config }) =>
    await runStep('preflight', async ({ signal, report }) => {
      const logins = await resolveLogins(config, secrets);
      return await runChecks(
        { config, ...logins },
        { signal, onCheck: (title) => report({ step: title }) },
      );
    });
}
