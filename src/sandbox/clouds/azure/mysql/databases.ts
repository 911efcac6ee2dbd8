import { isFailure } from '../../../../failures.ts';
import { quoteIdentifier } from '../../../../mysql/identifier.ts';
import type { CloudResponse } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import type { Operations, Runner } from '../operations.ts';
import { asSuperuser } from './mysqld.ts';
import type { DatabaseBody } from './schemas.ts';
import { API_VERSIONS, databaseBody } from './schemas.ts';
import type { KeptServer, Servers } from './servers.ts';
import { notFound, resourceId } from './servers.ts';

const PATH =
  '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DBforMySQL/flexibleServers/{server}/databases';
const TYPE = 'Microsoft.DBforMySQL/flexibleServers/databases';
const DUE_MS = 200;

type Wanted = NonNullable<DatabaseBody['properties']>;

/** Databases are what the server has: made by whomever. */
export function databaseRoutes(servers: Servers, operations: Operations): ArmRoute[] {
  const begin = (call: ArmCall, kind: string, server: KeptServer, data: unknown) => {
    const { location } = server;
    const { fault, params } = call;
    const resource = `${server.name}/databases/${params['database']}`;
    return operations.begin(call, { kind, resource, location, data, dueMs: DUE_MS, fault });
  };
  const common = { apiVersions: API_VERSIONS, path: `${PATH}/{database}` };
  return [
    {
      operation: 'Databases_ListByServer',
      method: 'GET',
      path: PATH,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const server = servers.getReady(params, 'GetDatabases');
        return json(200, { value: await databaseViews(servers, server) });
      },
    },
    {
      ...common,
      operation: 'Databases_Get',
      method: 'GET',
      action: `${TYPE}/read`,
      answer: async ({ params }) => {
        const server = servers.getReady(params, 'GetDatabase');
        return await showDatabase(servers, server, params['database'] ?? '');
      },
    },
    {
      ...common,
      operation: 'Databases_CreateOrUpdate',
      method: 'PUT',
      action: `${TYPE}/write`,
      body: databaseBody,
      answer: async (call) => {
        const server = servers.getReady(call.params, 'UpsertDatabase');
        const { properties = {} } = call.body as DatabaseBody;
        return await begin(call, 'put-database', server, properties);
      },
    },
    {
      ...common,
      operation: 'Databases_Delete',
      method: 'DELETE',
      action: `${TYPE}/delete`,
      answer: async (call) => {
        const server = servers.getReady(call.params, 'DropDatabase');
        return await begin(call, 'delete-database', server, null);
      },
    },
  ];
}

export function databaseRunners(servers: Servers): Record<string, Runner> {
  const query = async (resource: string, sql: (database: string) => string[]) => {
    const [name = '', , database = ''] = resource.split('/');
    await asSuperuser(servers, servers.named(name), async (connection) => {
      for (const statement of sql(quoteIdentifier(database))) await connection.query(statement);
    }).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      throw new ArmError(400, 'InvalidParameterValue', `The database '${database}' is refused.`);
    });
  };
  return {
    'put-database': {
      run: (resource, data) =>
        query(resource, (database) => {
          const options = optionsOf(data as Wanted);
          return [
            `CREATE DATABASE IF NOT EXISTS ${database}${options}`,
            ...(options === '' ? [] : [`ALTER DATABASE ${database}${options}`]),
          ];
        }),
      fail: async () => {},
    },
    'delete-database': {
      run: (resource) => query(resource, (database) => [`DROP DATABASE IF EXISTS ${database}`]),
      fail: async () => {},
    },
  };
}

export async function showDatabase(
  servers: Servers,
  server: KeptServer,
  database: string,
): Promise<CloudResponse> {
  const views = await databaseViews(servers, server);
  const view = views.find(({ name }) => name === database.toLowerCase());
  if (view === undefined) {
    throw notFound(`flexibleServers/${server.name}/databases/${database}`, server.group);
  }
  return json(200, view);
}

async function databaseViews(servers: Servers, server: KeptServer) {
  const rows = await asSuperuser(servers, server, (connection) =>
    connection.query<{ name: string; charset: string; collation: string }>(
      'SELECT schema_name AS name, default_character_set_name AS charset, default_collation_name AS collation FROM information_schema.schemata ORDER BY 1',
    ),
  );
  return rows.map(({ name, charset, collation }) => ({
    properties: { charset, collation },
    id: `${resourceId(server)}/databases/${name}`,
    name,
    type: TYPE,
  }));
}

/** Names of character sets and collations are words: whatever else comes is refused by the server. */
function optionsOf({ charset, collation }: Wanted): string {
  const word = (text: string) => quoteIdentifier(text);
  return (
    (charset === undefined ? '' : ` CHARACTER SET ${word(charset)}`) +
    (collation === undefined ? '' : ` COLLATE ${word(collation)}`)
  );
}
