import type { Server } from '@azure/arm-mysql-flexible';
import type { FlexibleServer } from '../../clouds/azure/flexible-server.ts';
import type { AzureTargetConfig, MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import { busyServer, convergingAct } from './converge.ts';
import type { TargetInput } from './target.ts';
import {
  AZURE_PORT,
  azureTarget,
  CREATED_TAG,
  isOurs,
  loadIops,
  loadSku,
  OWNER_TAG,
  tierOf,
} from './target.ts';

/** Made with the load's size, or adopted when its tags say that this migration made it. */
export function createServerAct(input: TargetInput, server: FlexibleServer): Act {
  const { config } = input;
  const target = azureTarget(config);
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await server.find(signal);
      if (found === null) {
        return {
          is: 'to-do',
          step: `create ${target.server}`,
          operation: async () => ({
            kind: 'create-server',
            server: newServer(config, await input.resolvePassword(), new Date()),
          }),
        };
      }
      if (!isOurs(config, found)) throw taken(target);
      return (
        busyServer(found) ?? {
          is: 'as-wanted',
          note: `Azure server ${found.host} is there: ${found.sku}, ${found.storageGb} GB`,
          server: found,
        }
      );
    },
    address: ({ host }) => ({ host, port: AZURE_PORT }),
  });
}

function taken({ server, resourceGroup }: AzureTargetConfig): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_UNAVAILABLE',
    `a server ${server} is in ${resourceGroup} already, and this migration did not make it`,
    {
      safe: 'it was not touched',
      next: 'choose another target.server, or remove target.create to use the server that is there',
    },
  );
}

export function newServer(config: MigrationConfig, password: string, now: Date): Server {
  const target = azureTarget(config);
  const { create } = target;
  const sku = loadSku(target);
  if (create === undefined || sku === undefined) {
    throw new SkyferryFailure('CONFIG_INVALID', 'a new Azure server needs create and sku', {
      next: 'set target.create and target.sku.run',
    });
  }
  const iops = loadIops(target);
  return {
    location: create.location,
    tags: { ...create.tags, [OWNER_TAG]: config.name, [CREATED_TAG]: now.toISOString() },
    sku: { name: sku, tier: tierOf(sku) },
    createMode: 'Default',
    version: create.version,
    administratorLogin: target.user,
    administratorLoginPassword: password,
    ...(create.availabilityZone !== undefined && { availabilityZone: create.availabilityZone }),
    storage: {
      storageSizeGB: create.storageGb,
      autoGrow: create.autoGrow ? 'Enabled' : 'Disabled',
      ...(iops !== undefined && { iops }),
    },
    backup: {
      backupRetentionDays: create.backupRetentionDays,
      geoRedundantBackup: create.geoRedundantBackup ? 'Enabled' : 'Disabled',
    },
    // Zone-redundant can only be chosen at creation; the other kind waits until the load is done.
    highAvailability: {
      mode: create.highAvailability === 'zone-redundant' ? 'ZoneRedundant' : 'Disabled',
    },
    ...(create.network.access === 'private' && {
      network: {
        delegatedSubnetResourceId: create.network.subnet,
        privateDnsZoneResourceId: create.network.privateDnsZone,
      },
    }),
  };
}
