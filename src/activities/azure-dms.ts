import { DataMigrationService } from '../clouds/azure/data-migration/service.ts';
import type { LocatedConfig } from '../config/located.ts';
import type { DmsEngineJob } from '../engines/azure-dms.ts';
import { SkyferryFailure } from '../failures.ts';
import { dmsServiceName } from '../prepare/data-migration/dms.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Without its settings it cannot have been in use; a person may have switched from it since. */
export function mayHaveDms({ engine, writtenEngine, azureDms, target }: LocatedConfig): boolean {
  if (target.kind !== 'azure-mysql-flexible') return false;
  return azureDms !== undefined || engine === 'azure-dms' || writtenEngine === 'azure-dms';
}

/** The service is made by the preparation, and may be another's. */
export async function openDms(
  { clouds }: ActivityDependencies,
  config: LocatedConfig,
): Promise<Pick<DmsEngineJob, 'service' | 'project'>> {
  const { name, target } = config;
  if (target.kind !== 'azure-mysql-flexible') {
    throw new SkyferryFailure('CONFIG_INVALID', 'engine: azure-dms moves to Azure alone', {
      next: 'choose another engine, or a target of kind azure-mysql-flexible',
    });
  }
  const { subscription, resourceGroup } = target;
  const client = await clouds.azure.dataMigration(subscription);
  const service = dmsServiceName(config);
  return {
    service: new DataMigrationService({ client, resourceGroup, service }),
    project: name,
  };
}
