import type { ServiceView } from '../../clouds/azure/data-migration/service.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { PlannedAct, RunningResource, Survey } from '../act.ts';
import { CREATED_TAG } from '../target/target.ts';
import type { DmsInput } from './dms.ts';
import {
  dmsConfig,
  dmsServiceName,
  isAtWork,
  isOnItsWay,
  isOurs,
  openService,
  PROJECT_ACT,
  REMOVE_ACT,
  SERVICE_ACT,
  wantedLocation,
} from './dms.ts';
import { serviceFindings } from './findings.ts';
import { describeDmsPrice, dmsPrice, dmsPriceBasis } from './prices.ts';

type DmsSurvey = Pick<Survey, 'findings' | 'acts' | 'facts' | 'running'>;

const quiet = {
  interrupts: null,
  costs: null,
  cannotBeUndone: null,
  undo: null,
  needsApproval: false,
} as const;

/** Looks at the migration service and says what has to be made. Changes nothing. */
export async function surveyDataMigration(
  input: DmsInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<DmsSurvey> {
  const { config } = input;
  const service = await openService(input);
  const found = await service.find(signal);
  if (found === null) {
    const location = await wantedLocation(input, signal);
    const acts = [creation(config, location), project(config), ...removal(config, true)];
    return { findings: [], acts, facts: [], running: [] };
  }
  refuseUnsettled(config, found);
  const ours = isOurs(config, found);
  const seen = isAtWork(found) ? await service.findProject(config.name, signal) : null;
  const acts = [
    ...(ours && !isAtWork(found) ? [creation(config, found.location)] : []),
    ...(seen === null ? [project(config)] : []),
    ...removal(config, ours),
  ];
  return {
    findings: serviceFindings(config, found, seen),
    acts,
    facts: [`migration service ${service.name}: ${found.sku} in ${found.location}`],
    running: [runningService(config, found)],
  };
}

/** Another engine has taken its place: what was made of it goes at the end. Changes nothing. */
export async function surveyUnused(
  input: DmsInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<DmsSurvey> {
  const { config } = input;
  const found = await (await openService(input)).find(signal);
  return {
    findings: [],
    acts: found === null ? [] : removal(config, isOurs(config, found)),
    facts: [],
    running: found === null ? [] : [runningService(config, found)],
  };
}

/** What goes away, or is made by somebody else, has to end first. */
function refuseUnsettled(config: MigrationConfig, found: ServiceView): void {
  const isMaking = found.state === 'Accepted' || found.state === 'Deploying';
  if (!isOnItsWay(found) || (isMaking && isOurs(config, found))) return;
  throw new SkyferryFailure(
    'CLOUD_BUSY',
    `the migration service ${dmsServiceName(config)} is ${found.state}`,
    { next: 'it is looked at again once that has ended' },
  );
}

function creation(config: MigrationConfig, location: string): PlannedAct {
  const { subnet, keep } = dmsConfig(config);
  const until = keep ? 'until somebody removes it' : 'until it is removed after the switch';
  return {
    ...quiet,
    name: SERVICE_ACT,
    when: 'preparation',
    does: `create the migration service ${dmsServiceName(config)} (Premium, 4 vCores) in ${location}, in the subnet ${shortSubnet(subnet)}`,
    costs: `${describeDmsPrice(config)}, ${until}`,
    undo: keep ? 'left, as azureDms.keep says' : 'removed',
    needsApproval: true,
  };
}

function project(config: MigrationConfig): PlannedAct {
  const { keep } = dmsConfig(config);
  return {
    ...quiet,
    name: PROJECT_ACT,
    when: 'preparation',
    does: `create the project ${config.name} in the migration service ${dmsServiceName(config)}`,
    undo: keep ? 'left, as azureDms.keep says' : 'removed',
  };
}

function removal(config: MigrationConfig, ours: boolean): PlannedAct[] {
  if (dmsConfig(config).keep) return [];
  const service = dmsServiceName(config);
  return [
    {
      ...quiet,
      name: REMOVE_ACT,
      when: 'completion',
      does: ours
        ? `remove the migration service ${service} with its project ${config.name}`
        : `remove the project ${config.name} from the migration service ${service}, which stays`,
    },
  ];
}

export function runningService(config: MigrationConfig, service: ServiceView): RunningResource {
  const { sku, tags } = service;
  return {
    resource: `migration service ${dmsServiceName(config)} (${sku}; ${dmsPriceBasis(config)})`,
    hourly: dmsPrice(config),
    since: tags[CREATED_TAG] ?? null,
    ...(isOurs(config, service) && !dmsConfig(config).keep && { removedBy: REMOVE_ACT }),
  };
}

/** `network/subnet` of a resource id. */
function shortSubnet(id: string): string {
  const [, network, subnet] = /\/virtualNetworks\/([^/]+)\/subnets\/([^/]+)$/i.exec(id) ?? [];
  return network === undefined || subnet === undefined ? id : `${network}/${subnet}`;
}
