import type { LocatedConfig } from '../config/located.ts';
import { azureDmsEngine, azureDmsRemains } from '../engines/azure-dms.ts';
import type { EngineJob } from '../engines/built-in.ts';
import { builtInEngine } from '../engines/built-in.ts';
import type { EngineRemains, ReplicationEngine } from '../engines/engine.ts';
import type { NativeEngineJob } from '../engines/native.ts';
import { nativeEngine } from '../engines/native.ts';
import { engineRemains } from '../engines/remains.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { mayHaveDms, openDms } from './azure-dms.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { openJob, resolveSides } from './job.ts';

export interface OpenEngine {
  readonly engine: ReplicationEngine;
  readonly job: EngineJob;
}

/** The one in use. */
export async function openEngine(
  deps: ActivityDependencies,
  config: LocatedConfig,
  signal: AbortSignal,
): Promise<OpenEngine> {
  const { limits, verification } = config;
  const job = { ...(await openJob(deps, config, signal)), limits, verification };
  switch (config.engine) {
    case 'built-in':
      return { engine: builtInEngine(job), job };
    case 'native':
      return { engine: nativeEngine({ ...job, ...(await nativeSettings(deps, config)) }), job };
    case 'azure-dms':
      return { engine: azureDmsEngine({ ...job, ...(await openDms(deps, config)) }), job };
  }
}

/** What any engine may have left, also one that is not in use any more. */
export async function openRemains(
  deps: ActivityDependencies,
  config: LocatedConfig,
): Promise<EngineRemains> {
  const sides: { source: Endpoint; target: Endpoint } = await resolveSides(deps, config);
  const job = { ...sides, migration: config.name };
  if (!mayHaveDms(config)) return engineRemains(job, null);
  return engineRemains(job, azureDmsRemains({ ...job, ...(await openDms(deps, config)) }));
}

/** MySQL's replication keeps no longer one. */
const LONGEST_PASSWORD = 32;
const DEFAULT_WORKERS = 4;

async function nativeSettings(
  { secrets }: ActivityDependencies,
  { native, source }: LocatedConfig,
): Promise<Pick<NativeEngineJob, 'account' | 'workers' | 'sourceCaFile' | 'sourceSeen'>> {
  const { account, workers = DEFAULT_WORKERS, sourceCaFile } = native ?? {};
  const host = native?.sourceHost ?? source.host;
  const port = native?.sourcePort ?? source.port;
  const settings = { workers, sourceCaFile, sourceSeen: { host, port } };
  if (account === undefined) return settings;
  const { user } = account;
  const password = await secrets.resolve(account.password);
  if (password.length > LONGEST_PASSWORD) {
    throw new SkyferryFailure(
      'CONFIG_INVALID',
      `the password of ${user} is longer than ${LONGEST_PASSWORD} characters, which MySQL's replication does not take`,
      { next: 'give the account on the source a shorter one, then retry-phase' },
    );
  }
  return { account: { user, password }, ...settings };
}
