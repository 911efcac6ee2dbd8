import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { ServerView } from '../../clouds/azure/flexible-server.ts';
import { nameTaken, readRegion } from '../../clouds/azure/region.ts';
import type { AzureTargetConfig, MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Finding } from '../../preflight/finding.ts';
import type { ParameterDifference, RunningResource, Survey } from '../act.ts';
import type { SourceFacts } from '../source-facts.ts';
import {
  maintenanceFindings,
  networkFindings,
  parameterFindings,
  regionFindings,
  serverFindings,
  sourceFindings,
} from './findings.ts';
import { engineFindings } from './engine-findings.ts';
import { consumerRules, missingRules, workerRules } from './firewall.ts';
import { lastingDifferences } from './parameters.ts';
import type { Seen } from './planned-acts.ts';
import { plannedActs, unmanagedFindings } from './planned-acts.ts';
import { priceBasis, serverPrice } from './prices.ts';
import { timeZoneFindings } from './time-zone.ts';
import {
  AZURE_PORT,
  azureTarget,
  CREATED_TAG,
  isOurs,
  isStopped,
  openServer,
  OWNER_TAG,
} from './target.ts';

export interface SurveyTargetInput {
  readonly config: MigrationConfig;
  readonly clients: AzureClients;
  readonly source: SourceFacts | null;
  readonly now: Date;
}

/** Looks at the target's cloud and changes nothing. Throws CLOUD_… failures. */
export async function surveyTarget(
  { config, clients, source, now }: SurveyTargetInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<Survey> {
  const target = azureTarget(config);
  const server = await openServer(config, clients);
  const client = await clients.mysql(target.subscription);
  const found = await server.find(signal);
  const isThere = found !== null && isSettled(config, found);
  const listed = isThere && found.state === 'Ready' ? await server.parameters(signal) : null;
  const location = found?.location ?? target.create?.location ?? null;
  const version = found?.version ?? target.create?.version ?? '';
  const missing = async (rules: ReturnType<typeof workerRules>) =>
    isThere ? await missingRules(server, rules, signal) : rules;
  const seen: Seen = {
    config,
    source,
    server: found,
    listed,
    missingRules: {
      worker: await missing(workerRules(config)),
      consumers: await missing(consumerRules(config)),
    },
  };
  const taken =
    found === null && target.create !== undefined
      ? await nameTaken(client, { location: target.create.location, name: target.server }, signal)
      : null;
  const region = location === null ? null : await readRegion(client, location, signal);
  const schemas = isThere ? await server.databases(signal) : [];
  const storageGb = Math.max(found?.storageGb ?? 0, target.create?.storageGb ?? 0);
  const engines = engineFindings(config, found);
  const findings = [
    ...serverFindings(config, found, taken),
    ...(region === null || location === null
      ? []
      : regionFindings(target, region, { location, version })),
    ...(storageGb === 0 ? [] : sourceFindings(target, source, { storageGb, version })),
    ...networkFindings(config, found),
    ...(config.engine === 'auto' ? [] : (engines[config.engine] ?? [])),
    ...parameterFindings(target, listed),
    ...timeZoneFindings(source, target.parameters['time_zone']),
    ...maintenanceFindings(config, found, now),
    ...unmanagedFindings(seen),
    ...databaseFindings(config, found, schemas),
  ];
  return {
    findings,
    engines,
    acts: findings.some(({ code }) => code === 'azure-server') ? [] : plannedActs(seen),
    address: found !== null && isThere ? { host: found.host, port: AZURE_PORT } : null,
    facts: found === null ? plannedFacts(target) : serverFacts(found),
    differences:
      listed === null
        ? foreseenDifferences(source)
        : lastingDifferences({ target, source, listed, former: null, memoryMb: null }),
    running: runningServer(target, found),
  };
}

/** False while it is being made by an earlier try of ours; else what is under way has to end first. */
function isSettled(config: MigrationConfig, { state, tags }: ServerView): boolean {
  if (state === 'Ready' || isStopped(state)) return true;
  if (state === 'Creating' && tags[OWNER_TAG] === config.name) return false;
  throw new SkyferryFailure('CLOUD_BUSY', `the Azure server is ${state}`, {
    next: 'it is looked at again once that has ended',
  });
}

/** What is known before there is a server. */
function foreseenDifferences(source: SourceFacts | null): readonly ParameterDifference[] {
  const parameter = 'lower_case_table_names';
  const value = source?.variables[parameter];
  if (value === undefined || value === '1') return [];
  return [{ parameter, source: value, target: '1', why: 'fixed on Azure' }];
}

/** On a server that existed, schemas are only made when `manage` says so. */
function databaseFindings(
  config: MigrationConfig,
  server: ServerView | null,
  databases: readonly string[],
): Finding[] {
  const { manage } = azureTarget(config);
  if (server === null || isOurs(config, server) || manage.includes('databases')) return [];
  const there = new Set(databases.map((name) => name.toLowerCase()));
  const missing = [...config.schemas, 'skyferry'].filter((name) => !there.has(name.toLowerCase()));
  if (missing.length === 0) return [];
  return [
    {
      code: 'azure-manage',
      severity: 'blocker',
      object: 'target.manage: databases',
      found: `the server was there before, and these schemas would be made on it: ${missing.join(', ')}`,
      fix: 'add databases to target.manage, or make them yourself',
    },
  ];
}

function plannedFacts({ server, create }: AzureTargetConfig): string[] {
  if (create === undefined) return [];
  return [
    `${server} is still to be made: MySQL ${create.version} in ${create.location}`,
    `${create.network.access} access; high availability ${create.highAvailability}`,
  ];
}

/** Azure's 0 is Sunday. */
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function serverFacts(server: ServerView): string[] {
  return [
    `${server.host}: asked for as MySQL ${server.version}; the server itself tells its version`,
    `${server.sku}, ${server.storageGb} GB${server.iops === null ? '' : `, ${server.iops} IOPS`}, ${server.location}`,
    `${server.publicAccess ? 'public' : 'private'} access; high availability ${server.highAvailability}; ${server.geoRedundantBackup ? 'geo-redundant backup' : 'backup in its region'}`,
    server.maintenance === null
      ? 'Azure chooses when to maintain it'
      : `maintained on ${weekdays[server.maintenance.dayOfWeek] ?? '?'} from ${server.maintenance.hour}:${String(server.maintenance.minute).padStart(2, '0')} UTC`,
  ];
}

export function runningServer(
  target: AzureTargetConfig,
  server: ServerView | null,
): RunningResource[] {
  if (server === null) return [];
  const { sku, storageGb, highAvailability, tags, createdAt } = server;
  const price = serverPrice({ sku, storageGb, standby: highAvailability !== 'Disabled' }, target);
  return [
    {
      resource: `Azure server ${target.server} (${sku}, ${storageGb} GB${price === null ? '' : `; ${priceBasis(target)}`})`,
      hourly: price,
      since: tags[CREATED_TAG] ?? createdAt,
    },
  ];
}
