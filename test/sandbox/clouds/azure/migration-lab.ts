import { setTimeout as delay } from 'node:timers/promises';
import { dirname } from 'node:path';
import { readCatalog } from '../../../../src/mysql/catalog/read.ts';
import { withConnection } from '../../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../../src/mysql/endpoint.ts';
import { qualify, quoteIdentifier } from '../../../../src/mysql/identifier.ts';
import { sandboxPrincipal } from '../../../../src/sandbox/clouds/azure/principal.ts';
import { superuserOf } from '../../../../src/sandbox/clouds/superuser.ts';
import type { TestClouds } from '../../../clouds.ts';
import { bearer, connect, group, password, wanted } from './lab.ts';

export const VERSION = '2018-07-15-preview';
const SCOPE = `/subscriptions/${sandboxPrincipal.subscription}/resourceGroups/${group}/providers`;

export const service = {
  location: 'germanywestcentral',
  sku: { name: 'Premium_4vCores' },
  properties: {
    virtualSubnetId: `${SCOPE}/Microsoft.Network/virtualNetworks/shop/subnets/migration`,
  },
};
export const project = {
  location: 'germanywestcentral',
  properties: { sourcePlatform: 'MySQL', targetPlatform: 'AzureDbForMySql' },
};

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Body;
}

interface Body {
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** One member of a task's output: numbers and strings by the names of the specification. */
export type Result = Readonly<Record<string, string | number | boolean>>;

/** A task's properties, as far as tests look into them. */
export interface Task {
  readonly state: string;
  readonly output: readonly Result[];
}

/** The migration service by raw requests, as no SDK shapes them. */
export class MigrationApi {
  readonly #clouds: TestClouds;

  constructor(clouds: TestClouds) {
    this.#clouds = clouds;
  }

  /** `path` below `…/services/`, with a query of its own if need be. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const [before = '', query] = path.split('?');
    const url = `${SCOPE}/Microsoft.DataMigration/services/${before}?api-version=${VERSION}${query === undefined ? '' : `&${query}`}`;
    const answer = await this.#clouds.fetch(url, {
      method,
      headers: await bearer(this.#clouds),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const parsed = answer.body === '' ? {} : (JSON.parse(answer.body) as Body);
    return { status: answer.status, headers: answer.headers, body: parsed };
  }

  /** Every state on the way, until it is the last wanted one. */
  async serviceStates(name: string, last: string | 404): Promise<string[]> {
    return await until(async () => {
      const { status, body } = await this.call('GET', name);
      return status === 404 ? '404' : String(body.properties?.['provisioningState']);
    }, String(last));
  }

  async createService(name: string): Promise<void> {
    await this.call('PUT', name, service);
    await this.serviceStates(name, 'Succeeded');
    await this.call('PUT', `${name}/projects/orders`, project);
  }

  async task(path: string): Promise<Task> {
    const { body } = await this.call('GET', `${path}?$expand=output`);
    return body.properties as unknown as Task;
  }

  /** Resolves with the task once `isThere` likes it. */
  async taskUntil(path: string, isThere: (task: Task) => boolean): Promise<Task> {
    for (;;) {
      const task = await this.task(path);
      if (isThere(task)) return task;
      if (isOver(task)) throw new Error(`the task ended as ${JSON.stringify(task)}`);
      await delay(50);
    }
  }

  async taskEnd(path: string): Promise<Task> {
    return await this.taskUntil(path, isOver);
  }
}

function isOver({ state }: Task): boolean {
  return state !== 'Queued' && state !== 'Running';
}

/** Of that `resultType`. */
export function results({ output }: Task, resultType: string): Result[] {
  return output.filter((result) => result['resultType'] === resultType);
}

async function until(read: () => Promise<string>, last: string): Promise<string[]> {
  const states: string[] = [];
  for (;;) {
    const state = await read();
    if (states.at(-1) !== state) states.push(state);
    if (state === last) return states;
    await delay(30);
  }
}

export function connectionInfo(server: string, given: { password?: string; user?: string } = {}) {
  return {
    type: 'MySqlConnectionInfo',
    serverName: `${server}.mysql.database.azure.com`,
    port: 3306,
    userName: given.user ?? wanted.administratorLogin,
    password: given.password ?? password,
  };
}

export function syncTask(source: string, target: string, databases: readonly string[]) {
  return {
    properties: {
      taskType: 'Migrate.MySql.AzureDbForMySql.Sync',
      input: {
        sourceConnectionInfo: connectionInfo(source),
        targetConnectionInfo: connectionInfo(target),
        selectedDatabases: databases.map((name) => ({ name, targetDatabaseName: name })),
      },
    },
  };
}

export async function createServers(clouds: TestClouds, names: readonly string[]): Promise<void> {
  const client = connect(clouds);
  await Promise.all(names.map((name) => client.servers.beginCreateAndWait(group, name, wanted)));
}

/** No customer's login: for the scene, and for the last look. */
export function superuser({ caFile }: TestClouds, server: string): Promise<Endpoint> {
  const folder = dirname(dirname(caFile));
  return superuserOf({ folder, port: 3306 }, `azure-${server}`);
}

/** The tables alone, as a target has them before its data comes. */
export async function copyTables(
  source: Endpoint,
  target: Endpoint,
  schemas: readonly string[],
): Promise<void> {
  const { tables } = await withConnection(source, {}, (c) => readCatalog(c, schemas));
  const session = [
    "SET SESSION foreign_key_checks = 0, sql_generate_invisible_primary_key = OFF, sql_mode = ''",
  ];
  await withConnection(target, { session }, async (connection) => {
    for (const name of schemas) {
      await connection.execute(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
      await connection.execute(`CREATE DATABASE ${quoteIdentifier(name)}`);
    }
    for (const { name, createStatement } of tables) {
      await connection.execute(`USE ${quoteIdentifier(name.schema)}`);
      await connection.execute(createStatement);
    }
  });
}

/** The server's own checksum of each table's rows. */
export async function checksums(
  endpoint: Endpoint,
  schemas: readonly string[],
): Promise<Record<string, string>> {
  return await withConnection(endpoint, {}, async (connection) => {
    const tables = await connection.query<{ s: string; t: string }>(
      `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES
        WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
      schemas,
    );
    const sums: Record<string, string> = {};
    for (const { s: schema, t: name } of tables) {
      const [row] = await connection.query(`CHECKSUM TABLE ${qualify({ schema, name })} EXTENDED`);
      sums[`${schema}.${name}`] = String(row?.['Checksum']);
    }
    return sums;
  });
}
