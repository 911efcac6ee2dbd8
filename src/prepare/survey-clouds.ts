import { contentHash } from '../config/hash.ts';
import { resolveFence } from '../config/endpoints.ts';
import { withAddresses, writtenAddress } from '../config/located.ts';
import type { Engine, MigrationConfig } from '../config/schema.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Address } from '../mysql/endpoint.ts';
import type { Finding } from '../preflight/finding.ts';
import { accepted } from '../preflight/run.ts';
import { runSourceChecks } from '../preflight/run-source-checks.ts';
import type { CloudPlan } from './act.ts';
import type { PlannedAct, Survey } from './act.ts';
import type { CloudsJob } from './clouds-job.ts';
import { lookAtSource, sourceEndpoint, targetEndpoint } from './clouds-job.ts';
import { usesDms } from './data-migration/dms.ts';
import { surveyDataMigration, surveyUnused } from './data-migration/survey.ts';
import { surveyPlainSource, surveySource } from './source/survey.ts';
import { planConsumerAccounts } from './target/consumer-accounts.ts';
import { surveyTarget } from './target/survey.ts';
import { switchedFindings } from './target/switched.ts';

/**
 * Looks at both servers in their clouds and says what has to be done there. Changes nothing. `engine` is
 * the one in use, where that is not the written one any more.
 */
export async function surveyClouds(
  written: CloudsJob,
  { engine, signal }: { readonly engine?: Engine | null; readonly signal: AbortSignal },
): Promise<CloudPlan> {
  const config = { ...written.config, engine: engine ?? written.config.engine };
  const job = { ...written, config };
  const source = await lookForSource(job, signal);
  const found = await lookForTarget(job, source, signal);
  const target = await withMigrationService(written, found, config, signal);
  const early = target.address === null ? await checkSource(job, source, signal) : [];
  const hash = planHash(job.config, source, target);
  const { accept } = config.preflight;
  const heeding = (survey: Survey, findings: readonly Finding[]): Survey => ({
    ...survey,
    findings: findings.map((finding) => accepted(finding, accept)),
  });
  return {
    hash,
    source: heeding(source, [...source.findings, ...early]),
    target: heeding(target, target.findings),
  };
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
  const { address } = survey;
  const ready = address !== null && survey.findings.every(({ severity }) => severity !== 'blocker');
  const connect = async (at: Address) =>
    await openConnection(await targetEndpoint(job, at), { signal });
  const switched =
    address === null ? [] : await switchedFindings(config, async () => await connect(address));
  const accounts =
    address === null || ready
      ? await planConsumerAccounts(
          config,
          address === null ? null : async () => await connect(address),
        )
      : [];
  return {
    ...survey,
    findings: [...survey.findings, ...switched],
    acts: [...survey.acts, ...accounts],
  };
}

/** It moves the rows when that is the engine; it comes after the server that it writes to. */
async function withMigrationService(
  { config, azure }: CloudsJob,
  target: Survey,
  used: MigrationConfig,
  signal: AbortSignal,
): Promise<Survey> {
  if (!usesDms(config)) return target;
  const input = { config, clients: azure };
  const { findings, acts, facts, running } = usesDms(used)
    ? await surveyDataMigration(input, { signal })
    : await surveyUnused(input, { signal });
  return {
    ...target,
    findings: [...target.findings, ...findings],
    acts: [...target.acts, ...acts],
    facts: [...target.facts, ...facts],
    running: [...target.running, ...running],
  };
}

/** Azure's own, and never changed once a server is there. */
const FIXED_ON_AZURE = { lower_case_table_names: '1' };

/** While the target is still to be made: what stops the migration anyhow is found before it costs. */
async function checkSource(
  job: CloudsJob,
  { address, findings }: Survey,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { config, secrets } = job;
  if (address === null || findings.some(({ severity }) => severity === 'blocker')) return [];
  if (config.target.kind === 'mysql') return [];
  const target = { host: `${config.target.server}.mysql.database.azure.com`, port: 3306 };
  const located = withAddresses(config, { source: address, target });
  const source = await sourceEndpoint(job, address);
  const fence = await resolveFence(located, secrets);
  return await runSourceChecks(
    { config: located, source, fence, fixed: FIXED_ON_AZURE },
    { signal },
  );
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
