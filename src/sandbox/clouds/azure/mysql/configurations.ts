import { escape as quoteLiteral } from 'mysql2';
import { isFailure } from '../../../../failures.ts';
import type { CloudResponse } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import type { Operations, Runner } from '../operations.ts';
import { asSuperuser, globalVariables } from './mysqld.ts';
import type { Parameter } from './parameters.ts';
import { isAllowed, parameters } from './parameters.ts';
import type { ConfigurationBody, ConfigurationsBody } from './schemas.ts';
import { API_VERSIONS, configurationBody, configurationsBody } from './schemas.ts';
import type { KeptServer, Servers } from './servers.ts';
import { notFound, resourceId } from './servers.ts';
import { findSku } from './skus.ts';

const SERVER =
  '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DBforMySQL/flexibleServers/{server}';
const TYPE = 'Microsoft.DBforMySQL/flexibleServers/configurations';
const DUE_MS = 200;

/** Null stands for the default. */
type Changes = Record<string, string | null>;

export function configurationRoutes(servers: Servers, operations: Operations): ArmRoute[] {
  const set = (call: ArmCall, server: KeptServer, resource: string, data: Changes) => {
    const { location } = server;
    const { fault } = call;
    return operations.begin(call, {
      kind: 'configure',
      resource,
      location,
      data,
      dueMs: DUE_MS,
      fault,
    });
  };
  const change = async (call: ArmCall) => {
    const server = servers.getReady(call.params, 'UpdateServerParameter');
    const parameter = offered(server, call.params['configuration'] ?? '');
    const { properties = {} } = call.body as ConfigurationBody;
    const value = wanted(server, parameter, properties);
    const resource = `${server.name}/configurations/${parameter.name}`;
    return await set(call, server, resource, { [parameter.name]: value });
  };
  return [
    {
      operation: 'Configurations_ListByServer',
      method: 'GET',
      path: `${SERVER}/configurations`,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const server = servers.getReady(params, 'GetServerParameters');
        return json(200, { value: await configurationViews(servers, server) });
      },
    },
    {
      operation: 'Configurations_Get',
      method: 'GET',
      path: `${SERVER}/configurations/{configuration}`,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const server = servers.getReady(params, 'GetServerParameter');
        return await showConfiguration(servers, server, params['configuration'] ?? '');
      },
    },
    ...(['PUT', 'PATCH'] as const).map((method) => ({
      operation: method === 'PUT' ? 'Configurations_CreateOrUpdate' : 'Configurations_Update',
      method,
      path: `${SERVER}/configurations/{configuration}`,
      action: `${TYPE}/write`,
      apiVersions: API_VERSIONS,
      body: configurationBody,
      answer: change,
    })),
    {
      operation: 'Configurations_BatchUpdate',
      method: 'POST',
      path: `${SERVER}/updateConfigurations`,
      action: 'Microsoft.DBforMySQL/flexibleServers/updateConfigurations/action',
      apiVersions: API_VERSIONS,
      body: configurationsBody,
      answer: async (call) => {
        const server = servers.getReady(call.params, 'UpdateServerParameters');
        const { value: list = [] } = call.body as ConfigurationsBody;
        const changes: Changes = {};
        for (const { name = '', properties = {} } of list) {
          const parameter = offered(server, name);
          changes[parameter.name] = wanted(server, parameter, properties);
        }
        return await set(call, server, `${server.name}/configurations`, changes);
      },
    },
  ];
}

export function configurationRunners(servers: Servers): Record<string, Runner> {
  return {
    configure: {
      run: async (resource, changes) => {
        const server = servers.named(resource.split('/')[0] ?? '');
        for (const [name, value] of Object.entries(changes as Changes)) {
          await apply(servers, server, name, value);
        }
        await servers.save();
      },
      fail: async () => {},
    },
  };
}

export async function showConfiguration(
  servers: Servers,
  server: KeptServer,
  name: string,
): Promise<CloudResponse> {
  const views = await configurationViews(servers, server);
  const view = views.find((one) => one.name === name.toLowerCase());
  if (view === undefined) {
    throw notFound(`flexibleServers/${server.name}/configurations/${name}`, server.group);
  }
  return json(200, view);
}

/** Read from the server itself; what waits for a restart is shown as it was set. */
export async function configurationViews(servers: Servers, server: KeptServer) {
  const own = await globalVariables(servers, server);
  return [...parameters.values()].flatMap((parameter) => {
    const { name, readOnly, dynamic, dataType, ownDefault } = parameter;
    const running = own[name] ?? ownDefault;
    // One that this version of MySQL does not have.
    if (running === undefined) return [];
    const override = server.overrides[name];
    const pending = !dynamic && override !== server.started[name];
    const defaultValue = server.defaults[name] ?? ownDefault ?? running;
    const value = pending || ownDefault !== undefined ? (override ?? defaultValue) : running;
    return [
      {
        properties: {
          value,
          description: '',
          defaultValue,
          dataType,
          allowedValues: allowedFor(server, parameter),
          source: override === undefined ? 'system-default' : 'user-override',
          isReadOnly: readOnly ? 'True' : 'False',
          isConfigPendingRestart: pending ? 'True' : 'False',
          isDynamicConfig: dynamic ? 'True' : 'False',
        },
        id: `${resourceId(server)}/configurations/${name}`,
        name,
        type: TYPE,
      },
    ];
  });
}

async function apply(servers: Servers, server: KeptServer, name: string, value: string | null) {
  const parameter = parameters.get(name);
  if (parameter === undefined) return;
  const effective = value ?? server.defaults[name] ?? '';
  if (parameter.dynamic && parameter.ownDefault === undefined) {
    const literal = /^(Integer|Numeric)$/.test(parameter.dataType)
      ? String(Number(effective))
      : quoteLiteral(effective);
    await asSuperuser(servers, server, (connection) =>
      connection.query(`SET GLOBAL ${name} = ${literal}`),
    ).catch((error: unknown) => {
      if (isFailure(error)) throw invalidValue(name);
      throw error;
    });
  }
  if (value === null) delete server.overrides[name];
  else server.overrides[name] = value;
}

function offered(server: KeptServer, name: string): Parameter {
  const parameter = parameters.get(name.toLowerCase());
  const known = server.defaults[name.toLowerCase()] ?? parameter?.ownDefault;
  if (parameter !== undefined && known !== undefined) return parameter;
  throw new ArmError(
    400,
    'InvalidParameterName',
    `Invalid name given for parameter '${name}'. Specify a valid parameter name.`,
  );
}

/** What the request asks for. @throws ArmError when Azure does not take it */
function wanted(
  server: KeptServer,
  parameter: Parameter,
  { value, source }: { value?: string; source?: string },
): string | null {
  const { name, readOnly } = parameter;
  if (readOnly) {
    throw new ArmError(
      400,
      'ReadonlyParameter',
      `The parameter '${name}' is read-only and cannot be changed.`,
    );
  }
  if (name === 'gtid_mode' && !isNextGtidMode(server, value)) throw invalidValue(name);
  if (source === 'system-default') return null;
  if (value === undefined) throw invalidValue(name);
  const limited = { ...parameter, allowed: allowedFor(server, parameter) };
  if (!isAllowed(limited, value)) throw invalidValue(name);
  const defaultValue = server.defaults[name] ?? parameter.ownDefault;
  return value === defaultValue ? null : value;
}

const gtidModes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];

/** One step at a time, and never back. */
function isNextGtidMode({ overrides, defaults }: KeptServer, value = ''): boolean {
  const now = gtidModes.indexOf(overrides['gtid_mode'] ?? defaults['gtid_mode'] ?? '');
  return [now, now + 1].includes(gtidModes.indexOf(value.toUpperCase()));
}

/** The size of the compute limits connections. */
function allowedFor(server: KeptServer, { name, allowed }: Parameter): string {
  return name === 'max_connections'
    ? `10-${2 * (findSku(server.sku.name)?.maxConnections ?? 341)}`
    : allowed;
}

function invalidValue(name: string): ArmError {
  return new ArmError(
    400,
    'InvalidParameterValue',
    `Invalid value given for parameter '${name}'. Specify a valid parameter value.`,
  );
}
