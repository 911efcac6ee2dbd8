import { SkyferryFailure } from '../failures.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Address } from '../mysql/endpoint.ts';
import type { Act, Formers } from './act.ts';
import type { CloudsJob } from './clouds-job.ts';
import { lookAtSource, sourceEndpoint, targetEndpoint } from './clouds-job.ts';
import { dataMigrationAct } from './data-migration/acts.ts';
import { usesDms } from './data-migration/dms.ts';
import { undoDataMigration } from './data-migration/remove.ts';
import { sourceAct } from './source/acts.ts';
import { undoSource } from './source/undo.ts';
import { CONSUMER_ACCOUNTS, consumerAccountsAct } from './target/consumer-accounts.ts';
import { targetAct } from './target/acts.ts';
import { undoTarget } from './target/undo.ts';

export interface ActJob extends CloudsJob {
  /** null: not there, or not found yet. */
  readonly addresses: { readonly source: Address | null; readonly target: Address | null };
  /** Values to be put back, by act. */
  readonly formers: Formers;
}

/** The act of that name; its name says whose it is. */
export async function openAct(job: ActJob, name: string, signal: AbortSignal): Promise<Act> {
  const { config, secrets } = job;
  if (name.startsWith('aws/')) return sourceAct(name, sourceInput(job));
  if (name.startsWith('azure-dms/')) return dataMigrationAct(name, { config, clients: job.azure });
  if (name === CONSUMER_ACCOUNTS) {
    const resolve = (reference: string) => secrets.resolve(reference);
    const target = async () => await targetEndpoint(job, requireAddress(job.addresses.target));
    return consumerAccountsAct({ config, target, resolve });
  }
  return targetAct(name, await targetInput(job, derivesFromSource(name), signal));
}

/** What abort does about clouds; says it line by line. No server that was created goes unless told. */
export async function undoClouds(
  job: ActJob,
  { deleteCreated, signal }: { readonly deleteCreated: boolean; readonly signal: AbortSignal },
): Promise<string[]> {
  const lines: string[] = [];
  const { source, target } = job.config;
  if (source.kind !== 'mysql') {
    lines.push(...(await undoSource({ ...sourceInput(job), deleteCreated }, { signal })));
  }
  if (usesDms(job.config)) {
    // Before the server goes that it writes to.
    const input = { config: job.config, clients: job.azure };
    lines.push(...(await undoDataMigration(input, { signal })));
  }
  if (target.kind !== 'mysql') {
    // Nothing of it is derived from the source, which may be away by now.
    const { config, azure: clients, formers } = job;
    lines.push(...(await undoTarget({ config, clients, formers, deleteCreated }, { signal })));
  }
  return lines;
}

function sourceInput(job: ActJob) {
  const { config, aws: clients, formers } = job;
  return {
    config,
    clients,
    formers,
    endpoint: async (address: Address) => await sourceEndpoint(job, address),
  };
}

/** The others must go on working when the source is fenced or gone. */
const derivesFromSource = (name: string): boolean => name.endsWith('parameters');

async function targetInput(job: ActJob, withSource: boolean, signal: AbortSignal) {
  const { config, azure: clients, secrets, formers, addresses } = job;
  const source = withSource ? addresses.source : null;
  return {
    config,
    clients,
    formers,
    source: source === null ? null : await lookAtSource(job, source, signal),
    resolvePassword: async () => await secrets.resolve(config.target.password),
    openTarget: async (address: Address, until: AbortSignal) =>
      await openConnection(await targetEndpoint(job, address), { signal: until }),
  };
}

function requireAddress(address: Address | null): Address {
  if (address !== null) return address;
  throw new SkyferryFailure('INTERNAL', 'the target has no address yet');
}
