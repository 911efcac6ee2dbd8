import type { Runner } from '../operations.ts';
import { createMysqld, restartMysqld, setAdministratorPassword } from './mysqld.ts';
import type { ServerUpdateBody } from './schemas.ts';
import type { KeptServer, ServerState, Servers } from './servers.ts';
import { fleetId } from './servers.ts';
import { findSku } from './skus.ts';

/** What is done to servers when an operation's time has come. */
export function serverRunners(servers: Servers): Record<string, Runner> {
  const { servers: fleet } = servers.context;
  const runner = (
    act: (server: KeptServer, data: unknown) => Promise<void>,
    [after, afterFailure]: [ServerState, ServerState],
  ): Runner => ({
    run: async (name, data) => {
      const server = servers.named(name);
      await act(server, data);
      server.state = after;
      await servers.save();
    },
    fail: async (name) => {
      const server = servers.named(name);
      server.state = afterFailure;
      settleStandby(server);
      await servers.save();
    },
  });
  return {
    'create-server': {
      ...runner(
        async (server) => {
          await createMysqld(servers, server);
          server.password = null;
        },
        ['Ready', 'Ready'],
      ),
      // A server whose creation failed is not there; its name is free again.
      fail: async (name) => {
        await fleet.remove(fleetId({ name }));
        await servers.remove(name);
      },
    },
    'update-server': runner(
      (server, data) => update(servers, server, data as ServerUpdateBody),
      ['Ready', 'Ready'],
    ),
    'restart-server': runner((server) => restartMysqld(servers, server), ['Ready', 'Ready']),
    'stop-server': runner((server) => fleet.stop(fleetId(server)), ['Stopped', 'Ready']),
    'start-server': runner((server) => restartMysqld(servers, server), ['Ready', 'Stopped']),
    'delete-server': {
      ...runner(async () => {}, ['Dropping', 'Ready']),
      run: async (name) => {
        await fleet.remove(fleetId({ name }));
        await servers.remove(name);
      },
    },
  };
}

/** Another size of compute restarts the server; all else goes without. */
async function update(
  servers: Servers,
  server: KeptServer,
  { tags, sku, properties = {} }: ServerUpdateBody,
): Promise<void> {
  const { storage, backup, highAvailability, maintenanceWindow } = properties;
  if (tags !== undefined) server.tags = tags;
  Object.assign(server.storage, storage);
  Object.assign(server.backup, backup);
  Object.assign(server.maintenanceWindow, maintenanceWindow);
  if (highAvailability?.mode !== undefined) {
    const { mode } = highAvailability;
    server.highAvailability = { ...server.highAvailability, ...highAvailability, mode };
    settleStandby(server);
  }
  if (properties.administratorLoginPassword !== undefined) {
    await setAdministratorPassword(servers, server, properties.administratorLoginPassword);
  }
  if (sku !== undefined && sku.name !== server.sku.name) {
    server.sku = sku;
    server.storage.iops = Math.min(server.storage.iops, findSku(sku.name)?.maxIops ?? 0);
    await restartMysqld(servers, server);
  }
}

function settleStandby({ highAvailability }: KeptServer): void {
  highAvailability.state = highAvailability.mode === 'Disabled' ? 'NotEnabled' : 'Healthy';
}
