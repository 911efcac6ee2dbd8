import type { CloudsJob } from '../prepare/clouds-job.ts';
import { bounded } from '../preflight/bounded.ts';
import { openAct, undoClouds as undo } from '../prepare/open-act.ts';
import { runningOnTarget } from '../prepare/running.ts';
import { surveyClouds as survey } from '../prepare/survey-clouds.ts';
import type { Activities, OfAct, OfClouds } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

export function surveyClouds(deps: ActivityDependencies): Activities['surveyClouds'] {
  return async (input) =>
    await runStep('prepare', async ({ signal }) => {
      const plan = await survey(jobOf(deps, input), { engine: input.engine, signal });
      return { ...plan, source: { ...plan.source, findings: bounded(plan.source.findings) } };
    });
}

export function beginAct(deps: ActivityDependencies): Activities['beginAct'] {
  return async (input) =>
    await runStep('prepare', async ({ signal, report }) => {
      report({ step: `${input.act}: begin` });
      const act = await openAct(actJobOf(deps, input), input.act, signal);
      return await act.begin(signal);
    });
}

export function completeAct(deps: ActivityDependencies): Activities['completeAct'] {
  return async (input) =>
    await runStep('prepare', async ({ signal, report }) => {
      report({ step: input.act });
      const act = await openAct(actJobOf(deps, input), input.act, signal);
      const onProgress = (step: string) => report({ step: `${input.act}: ${step}` });
      return await act.complete(input.begun, { signal, onProgress });
    });
}

export function undoClouds(deps: ActivityDependencies): Activities['undoClouds'] {
  return async ({ deleteCreated, ...input }) =>
    await runStep('prepare', async ({ signal, report }) => {
      report({ step: 'undoing what was done in clouds' });
      const job = actJobOf(deps, input);
      const undone = await undo(job, { deleteCreated, signal });
      return { undone, running: await runningOnTarget(job, { signal }) };
    });
}

function jobOf({ clouds, secrets, now }: ActivityDependencies, { config }: OfClouds): CloudsJob {
  return { config, aws: clouds.aws, azure: clouds.azure, secrets, now };
}

function actJobOf(deps: ActivityDependencies, input: Omit<OfAct, 'act'>) {
  const { addresses, formers } = input;
  return { ...jobOf(deps, input), addresses, formers };
}
