import type { MigrationConfig } from '../../../src/config/schema.ts';
import { sandboxPrincipal } from '../../../src/sandbox/clouds/azure/principal.ts';
import { migrationConfigSchema } from '../../../src/config/schema.ts';

/** A configuration with an Azure target; `target` replaces what it names. */
export function azureConfig(
  target: Record<string, unknown> = {},
  others: Record<string, unknown> = {},
): MigrationConfig {
  return migrationConfigSchema.parse({
    name: 'shop',
    source: { host: 'db-old.internal', user: 'skyferry_src', password: '${env:SOURCE_PASSWORD}' },
    target: {
      kind: 'azure-mysql-flexible',
      subscription: sandboxPrincipal.subscription,
      resourceGroup: 'rg-shop',
      server: 'shop-db',
      user: 'shopadmin',
      password: '${env:TARGET_PASSWORD}',
      create: { location: 'eastus', storageGb: 64, network: { access: 'public' } },
      sku: { load: 'Standard_D4ds_v4', run: 'Standard_D2ds_v4' },
      firewall: { worker: '203.0.113.7' },
      ...target,
    },
    schemas: ['shop'],
    ...others,
  });
}
