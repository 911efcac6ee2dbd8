import { z } from 'zod';
import type { CloudResponse } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import type { Operations } from '../operations.ts';
import type { ServerBody, ServerUpdateBody } from './schemas.ts';
import { API_VERSIONS, restartBody, serverBody, serverUpdateBody } from './schemas.ts';
import { newServer, refuseOtherServer, refuseUpdate } from './server-rules.ts';
import type { KeptServer, ServerState, Servers } from './servers.ts';
import { serverView } from './servers.ts';

const SUBSCRIPTION = '/subscriptions/{subscription}';
const TYPE = 'Microsoft.DBforMySQL/flexibleServers';
const GROUP = `${SUBSCRIPTION}/resourceGroups/{group}/providers/${TYPE}`;
const SERVER = `${GROUP}/{server}`;

/** How long operations take beside what the MySQL server itself needs. */
const DUE_MS = { create: 300, update: 400, restart: 300, delete: 300, start: 200, stop: 200 };
type Kind = keyof typeof DUE_MS;

export function serverRoutes(servers: Servers, operations: Operations): ArmRoute[] {
  const begin = async (
    call: ArmCall,
    kind: Kind,
    server: KeptServer,
    { during, data }: { during: ServerState; data?: unknown },
  ): Promise<CloudResponse> => {
    server.state = during;
    await servers.save();
    return await operations.begin(call, {
      kind: `${kind}-server`,
      resource: server.name,
      location: server.location,
      data: data ?? null,
      dueMs: DUE_MS[kind],
      fault: call.fault,
    });
  };
  const update = async (call: ArmCall, body: ServerUpdateBody) => {
    const server = servers.getReady(call.params, 'UpdateServer');
    refuseUpdate(server, body);
    const mode = body.properties?.highAvailability?.mode ?? server.highAvailability.mode;
    if (mode !== server.highAvailability.mode) {
      server.highAvailability.state = mode === 'Disabled' ? 'RemovingStandby' : 'CreatingStandby';
    }
    return await begin(call, 'update', server, { during: 'Updating', data: body });
  };
  const read = { method: 'GET', action: `${TYPE}/read`, apiVersions: API_VERSIONS } as const;
  const action = (name: 'restart' | 'start' | 'stop') =>
    ({
      method: 'POST',
      path: `${SERVER}/${name}`,
      action: `${TYPE}/${name}/action`,
      apiVersions: API_VERSIONS,
    }) as const;
  return [
    {
      ...read,
      operation: 'Servers_Get',
      path: SERVER,
      answer: async ({ params }) => json(200, serverView(servers.get(params))),
    },
    {
      ...read,
      operation: 'Servers_ListByResourceGroup',
      path: GROUP,
      answer: async ({ params }) =>
        json(200, { value: servers.inGroup(params['group'] ?? '').map(serverView) }),
    },
    {
      ...read,
      operation: 'Servers_List',
      path: `${SUBSCRIPTION}/providers/${TYPE}`,
      answer: async () => json(200, { value: servers.all().map(serverView) }),
    },
    {
      operation: 'Servers_Create',
      method: 'PUT',
      path: SERVER,
      action: `${TYPE}/write`,
      apiVersions: API_VERSIONS,
      body: serverBody,
      answer: async (call) => {
        const body = call.body as ServerBody;
        const existing = servers.find(call.params);
        if (existing !== null) {
          servers.getReady(call.params, 'UpsertServer');
          refuseOtherServer(existing, body);
          return await update(call, updateOf(body));
        }
        const server = newServer(call.params, body);
        if (servers.isTaken(server.name)) {
          throw new ArmError(
            409,
            'ServerNameAlreadyExists',
            'Specified server name is already used.',
          );
        }
        await servers.add(server);
        return await begin(call, 'create', server, { during: 'Creating' });
      },
    },
    {
      operation: 'Servers_Update',
      method: 'PATCH',
      path: SERVER,
      action: `${TYPE}/write`,
      apiVersions: API_VERSIONS,
      body: serverUpdateBody,
      answer: (call) => update(call, call.body as ServerUpdateBody),
    },
    {
      operation: 'Servers_Delete',
      method: 'DELETE',
      path: SERVER,
      action: `${TYPE}/delete`,
      apiVersions: API_VERSIONS,
      answer: async (call) => {
        const server = servers.find(call.params);
        if (server === null || server.state === 'Dropping') return { status: 204 };
        if (server.state !== 'Stopped') servers.getReady(call.params, 'DropServer');
        return await begin(call, 'delete', server, { during: 'Dropping' });
      },
    },
    {
      ...action('restart'),
      operation: 'Servers_Restart',
      body: restartBody,
      answer: (call) =>
        begin(call, 'restart', servers.getReady(call.params, 'RestartServer'), {
          during: 'Updating',
        }),
    },
    {
      ...action('stop'),
      operation: 'Servers_Stop',
      body: z.undefined(),
      answer: (call) =>
        begin(call, 'stop', servers.getReady(call.params, 'StopServer'), { during: 'Stopping' }),
    },
    {
      ...action('start'),
      operation: 'Servers_Start',
      body: z.undefined(),
      answer: async (call) => {
        const server = servers.get(call.params);
        if (server.state !== 'Stopped') servers.getReady(call.params, 'StartServer');
        return await begin(call, 'start', server, { during: 'Starting' });
      },
    },
  ];
}

/** The part of a second PUT that may differ from what there is. */
function updateOf({ tags, sku, properties = {} }: ServerBody): ServerUpdateBody {
  const { administratorLoginPassword, storage, backup, highAvailability, maintenanceWindow } =
    properties;
  return {
    ...(tags !== undefined && { tags }),
    ...(sku !== undefined && { sku }),
    properties: {
      ...(administratorLoginPassword !== undefined && { administratorLoginPassword }),
      ...(storage !== undefined && { storage }),
      ...(backup !== undefined && { backup }),
      ...(highAvailability !== undefined && { highAvailability }),
      ...(maintenanceWindow !== undefined && { maintenanceWindow }),
    },
  };
}
