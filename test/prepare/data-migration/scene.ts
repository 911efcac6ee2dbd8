import { createAzureClients } from '../../../src/clouds/azure/clients.ts';
import { DataMigrationService } from '../../../src/clouds/azure/data-migration/service.ts';
import type { MigrationConfig } from '../../../src/config/schema.ts';
import type { CompletedAct } from '../../../src/prepare/act.ts';
import { dataMigrationAct } from '../../../src/prepare/data-migration/acts.ts';
import { undoDataMigration } from '../../../src/prepare/data-migration/remove.ts';
import { surveyDataMigration } from '../../../src/prepare/data-migration/survey.ts';
import { sandboxPrincipal } from '../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../clouds.ts';
import { azureConfig } from '../target/config.ts';

export const signal = AbortSignal.timeout(120_000);
export const subnet = (name: string) =>
  `/subscriptions/${sandboxPrincipal.subscription}/resourceGroups/rg-net/providers/Microsoft.Network/virtualNetworks/shop/subnets/${name}`;

export function dmsConfig(
  name: string,
  azureDms: Record<string, unknown> = {},
  others: Record<string, unknown> = {},
): MigrationConfig {
  return azureConfig(
    {},
    {
      name,
      engine: 'azure-dms',
      azureDms: { subnet: subnet('migration'), ...azureDms },
      ...others,
    },
  );
}

/** One worker's view of the clouds: as a new process would have it. */
export function openDmsScene(clouds: TestClouds) {
  const clients = createAzureClients({ env: clouds.env, ca: clouds.ca });
  return {
    clients,
    survey: (config: MigrationConfig) => surveyDataMigration({ config, clients }, { signal }),
    act: (config: MigrationConfig, name: string) => dataMigrationAct(name, { config, clients }),
    perform: async (config: MigrationConfig, name: string): Promise<CompletedAct> => {
      const act = dataMigrationAct(name, { config, clients });
      return await act.complete(await act.begin(signal), { signal, onProgress: () => {} });
    },
    undo: (config: MigrationConfig) => undoDataMigration({ config, clients }, { signal }),
    service: async (service: string) =>
      new DataMigrationService({
        client: await clients.dataMigration(sandboxPrincipal.subscription),
        resourceGroup: 'rg-shop',
        service,
      }),
    /** Not of the tier that follows changes. */
    makeStandard: async (service: string) => {
      const { sdk } = await clients.dataMigration(sandboxPrincipal.subscription);
      await sdk.services.beginCreateOrUpdate(
        {
          location: 'eastus',
          virtualSubnetId: subnet('migration'),
          sku: { name: 'Standard_1vCore' },
        },
        'rg-shop',
        service,
      );
    },
    /** How often an operation was carried out: neither refused nor only asked about. */
    count: async (operation: string, service: string) =>
      (await clouds.requests()).filter(
        ({ operation: done, path, status }) =>
          done === operation && path.includes(`/services/${service}`) && (status ?? 0) < 400,
      ).length,
  };
}
