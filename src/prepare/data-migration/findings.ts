import type { ProjectView, ServiceView } from '../../clouds/azure/data-migration/service.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { Finding } from '../../preflight/finding.ts';
import { OWNER_TAG } from '../target/target.ts';
import { dmsConfig, dmsServiceName, isAtWork, isOnItsWay, isOurs, isSameLocation } from './dms.ts';

const CODE = 'azure-dms-service';

/** Of a service that is there: whether it is one that this migration can use. */
export function serviceFindings(
  config: MigrationConfig,
  service: ServiceView,
  project: ProjectView | null,
): Finding[] {
  const name = dmsServiceName(config);
  const object = `migration service ${name}`;
  const { subnet, location } = dmsConfig(config);
  const blocker = (found: string, fix: string): Finding => ({
    code: CODE,
    severity: 'blocker',
    object,
    found,
    fix,
  });
  const another = 'name another one in azureDms.service';
  return [
    ...(service.tier === 'Premium'
      ? []
      : [blocker(`is ${service.sku}: only the Premium tier follows changes`, another)]),
    ...(isSameId(service.subnet, subnet)
      ? []
      : [
          blocker(
            `stands in another subnet: ${service.subnet}`,
            `set azureDms.subnet to that, if it reaches both servers, or ${another}`,
          ),
        ]),
    ...(location === undefined || isSameLocation(service.location, location)
      ? []
      : [blocker(`is in ${service.location}`, `set azureDms.location to that, or ${another}`)]),
    ...(isUsable(config, service)
      ? []
      : [blocker(`is ${service.state}`, `start it (az dms start --name ${name}), or ${another}`)]),
    ...(project === null || isOurs(config, project)
      ? []
      : [blocker(`has a project ${config.name} that this migration did not make`, another)]),
    ...adopted(config, service, object),
  ];
}

/** One of ours whose making failed is made once more. */
function isUsable(config: MigrationConfig, service: ServiceView): boolean {
  const again = isOurs(config, service) && service.state === 'Failed';
  return isAtWork(service) || isOnItsWay(service) || again;
}

function adopted(config: MigrationConfig, service: ServiceView, object: string): Finding[] {
  if (isOurs(config, service)) return [];
  const owner = service.tags[OWNER_TAG];
  return [
    {
      code: CODE,
      severity: 'info',
      object,
      found:
        owner === undefined
          ? 'was there before: it is used, and left as it is'
          : `was made by the migration ${owner}: it is used, and stays when that one ends as long as this one’s project is in it`,
    },
  ];
}

function isSameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
