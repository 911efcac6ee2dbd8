import { createCloudWatch } from './aws/cloudwatch.ts';
import { createRdsService } from './aws/rds/service.ts';
import { createRoute53 } from './aws/route53/service.ts';
import { createSecretsManagerService } from './aws/secrets-manager/service.ts';
import { createRestOfArm } from './azure/arm.ts';
import { createDataMigrationService } from './azure/data-migration/provider.ts';
import { createAzureDns } from './azure/dns/public.ts';
import { createEntraService } from './azure/entra.ts';
import { createFlexibleServersService } from './azure/mysql/provider.ts';
import { createAzurePrivateDns } from './azure/dns/private.ts';
import type { CloudContext, CloudService } from './service.ts';

type Factory = (context: CloudContext) => Promise<CloudService>;

const factories: readonly Factory[] = [
  createEntraService,
  createFlexibleServersService,
  createDataMigrationService,
  createRdsService,
  createCloudWatch,
  createSecretsManagerService,
  createRoute53,
  createAzureDns,
  createAzurePrivateDns,
  createRestOfArm,
];

/** Every service of the sandbox's clouds, resuming what its stores hold. */
export function openServices(context: CloudContext): Promise<CloudService[]> {
  return Promise.all(factories.map((create) => create(context)));
}
