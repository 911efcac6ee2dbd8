import { contentHash } from '../config/hash.ts';
import { writtenAddress } from '../config/located.ts';
import type { MigrationConfig } from '../config/schema.ts';
import type { CloudPlan } from '../workflows/results.ts';
import type { PlannedAct, Survey } from './act.ts';
import type { CloudsJob } from './clouds-job.ts';
import { lookAtSource, sourceEndpoint } from './clouds-job.ts';
import { surveyPlainSource, surveySource } from './source/survey.ts';
import { planConsumerAccounts } from './target/consumer-accounts.ts';
import { surveyTarget } from './target/survey.ts';

/** Looks at both servers in their clouds and says what has to be done there. Changes nothing. */
export async function surveyClouds(
  job: CloudsJob,
  { signal }: { readonly signal: AbortSignal },
): Promise<CloudPlan> {
  const source = await lookForSource(job, signal);
  const target = await lookForTarget(job, source, signal);
  return { hash: planHash(job.config, source, target), source, target };
}

async function lookForSource(job: CloudsJob, signal: AbortSignal): Promise<Survey> {
  const { config, aws } = job;
  const endpoint = async (address: Parameters<typeof sourceEndpoint>[1]) =>
    await sourceEndpoint(job, address);
  const written = writtenAddress(config.source);
  if (written === null) return await surveySource({ config, clients: aws, endpoint }, { signal });
  return await surveyPlainSource({ config, endpoint }, { signal });
}

async function lookForTarget(job: CloudsJob, source: Survey, signal: AbortSignal): Promise<Survey> {
  const { config, azure, now } = job;
  if (config.target.kind === 'mysql') return asWritten(config.target);
  // A source that cannot be reached yet is a finding of its own survey.
  const blocked = source.findings.some(({ severity }) => severity === 'blocker');
  const facts =
    source.address === null || blocked ? null : await lookAtSource(job, source.address, signal);
  const survey = await surveyTarget(
    { config, clients: azure, source: facts, now: now() },
    { signal },
  );
  const accounts = survey.address === null ? planConsumerAccounts(config) : [];
  return { ...survey, acts: [...survey.acts, ...accounts] };
}

function asWritten({ host, port }: { readonly host: string; readonly port: number }): Survey {
  return {
    findings: [],
    acts: [],
    address: { host, port },
    facts: [],
    differences: [],
    running: [],
  };
}

/** Of what will be done, not of what was found: that changes while nobody looks. */
function planHash({ name }: MigrationConfig, source: Survey, target: Survey): string {
  const act = ({ name: actName, when, does, interrupts, costs, cannotBeUndone }: PlannedAct) => ({
    name: actName,
    when,
    does,
    interrupts,
    costs,
    cannotBeUndone,
  });
  return contentHash({ name, source: source.acts.map(act), target: target.acts.map(act) });
}
