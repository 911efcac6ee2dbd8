import { resolveLogins } from '../config/logins.ts';
import { bounded, boundedAssessment } from '../preflight/bounded.ts';
import { runPreflight as runChecks } from '../preflight/run.ts';
import { resolveConsumers } from './consumers.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

export function runPreflight(deps: ActivityDependencies): Activities['runPreflight'] {
  return async ({ config, engine }) =>
    await runStep('preflight', async ({ signal, report }) => {
      const logins = await resolveLogins(config, deps.secrets);
      const consumers = await resolveConsumers(deps, config);
      const { findings, engines } = await runChecks(
        { config, engine, ...logins, switches: consumers.map((consumer) => consumer.switch) },
        { signal, onCheck: (title) => report({ step: title }) },
      );
      return { findings: bounded(findings), engines: engines.map(boundedAssessment) };
    });
}
