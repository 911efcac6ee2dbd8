import type { LocatedConfig } from '../config/located.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { ReplicationEngine } from '../replicate/engine.ts';
import { builtInEngine, nativeEngine } from '../replicate/engine.ts';
import type { NativeJob } from '../replicate/native/job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob } from './job.ts';

export interface OpenEngine {
  readonly engine: ReplicationEngine;
  readonly target: Endpoint;
}

/** The one that the configuration names. */
export async function openEngine(
  deps: ActivityDependencies,
  config: LocatedConfig,
  signal: AbortSignal,
): Promise<OpenEngine> {
  const job = { ...(await openJob(deps, config, signal)), batchRows: config.limits.applyBatchRows };
  const { target } = job;
  switch (config.engine) {
    case 'built-in':
      return { engine: builtInEngine(job), target };
    case 'native':
      return { engine: nativeEngine({ ...job, ...(await nativeSettings(deps, config)) }), target };
  }
}

const DEFAULT_WORKERS = 4;
/** MySQL's replication keeps no longer one. */
const LONGEST_PASSWORD = 32;

async function nativeSettings(
  { secrets }: ActivityDependencies,
  { native }: LocatedConfig,
): Promise<Pick<NativeJob, 'account' | 'workers' | 'sourceCaFile'>> {
  const { account, workers = DEFAULT_WORKERS, sourceCaFile } = native ?? {};
  if (account === undefined) return { workers, sourceCaFile };
  const { user } = account;
  const password = await secrets.resolve(account.password);
  if (password.length > LONGEST_PASSWORD) {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      `the password of ${user} is longer than ${LONGEST_PASSWORD} characters, which MySQL's replication does not take`,
      { next: 'give the account on the source a shorter one, then retry-phase' },
    );
  }
  return { account: { user, password }, workers, sourceCaFile };
}
