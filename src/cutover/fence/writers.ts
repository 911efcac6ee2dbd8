import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { AccountName } from './fence.ts';

export interface Account extends AccountName {
  readonly locked: boolean;
  /** May change rows or definitions in one of the migrated schemas, by whatever it holds or may take on. */
  readonly writes: boolean;
  /** May create and unlock accounts, its own as well. */
  readonly administers: boolean;
  /** Writes on under read_only, not under super_read_only. */
  readonly bypassesReadOnly: boolean;
}

/** Of a server or a service itself: never an application's. */
const SYSTEM = /^(mysql\.(sys|session|infoschema)|rdsadmin|rdsrepladmin|azure_superuser)$/;

const WRITES = ['Insert', 'Update', 'Delete', 'Create', 'Drop', 'Alter', 'Index', 'Execute'];
const ER_NO_SUCH_TABLE = 1146;

/**
 * Every account of the server but its own. On the safe side: privileges on a single table or procedure
 * count for their schema, roles count whether active or not, partial revokes do not count. Needs SELECT
 * on the schema `mysql`.
 */
export async function readAccounts(
  connection: Connection,
  schemas: readonly string[],
): Promise<Account[]> {
  const anyOf = (suffix: string) => WRITES.map((name) => `${name}${suffix}`).join(', ');
  const accounts = await connection.query<
    Holder & {
      locked: string;
      writes: string | number;
      administers: string | number;
      super: string;
    }
  >(
    `SELECT User AS user, Host AS host, account_locked AS locked, 'Y' IN (${anyOf('_priv')}) AS writes,
            'Y' IN (Create_user_priv, Super_priv) AS administers,
            Super_priv AS super
       FROM mysql.user`,
  );
  const onSchemas = await connection.query<Holder & { pattern: string }>(
    `SELECT User AS user, Host AS host, Db AS pattern FROM mysql.db WHERE 'Y' IN (${anyOf('_priv')})`,
  );
  const onObjects = await connection.query<Holder & { name: string }>(
    `SELECT User AS user, Host AS host, Db AS name FROM mysql.tables_priv
      WHERE CONCAT(Table_priv, ',', Column_priv) REGEXP '${WRITES.join('|')}'
     UNION SELECT User, Host, Db FROM mysql.procs_priv WHERE FIND_IN_SET('Execute', Proc_priv)`,
  );
  const writers = new Set([
    ...accounts.filter(({ writes }) => Number(writes) === 1).map(keyOf),
    ...onSchemas
      .filter(({ pattern }) => schemas.some((schema) => isLike(schema, pattern)))
      .map(keyOf),
    ...onObjects.filter(({ name }) => schemas.some((schema) => sameName(schema, name))).map(keyOf),
  ]);
  const administrators = new Set(
    accounts.filter(({ administers }) => Number(administers) === 1).map(keyOf),
  );
  const roles = await readRoles(connection, accounts);
  spread(roles, writers);
  spread(roles, administrators);
  const bypassing = new Set([
    ...accounts.filter((account) => account.super === 'Y').map(keyOf),
    ...(await readConnectionAdministrators(connection)).map(keyOf),
  ]);
  spread(roles, bypassing);
  return accounts
    .filter(({ user }) => !SYSTEM.test(user))
    .map((account) => ({
      user: account.user,
      host: account.host,
      locked: account.locked === 'Y',
      writes: writers.has(keyOf(account)),
      administers: administrators.has(keyOf(account)),
      bypassesReadOnly: bypassing.has(keyOf(account)),
    }));
}

interface Holder extends AccountName {
  [column: string]: unknown;
}

async function readConnectionAdministrators(connection: Connection): Promise<Holder[]> {
  return await connection
    .query<Holder>(
      `SELECT USER AS user, HOST AS host FROM mysql.global_grants WHERE PRIV = 'CONNECTION_ADMIN'`,
    )
    .catch(absent);
}

/** By whom which role, or by PROXY which identity, may be taken on. */
async function readRoles(
  connection: Connection,
  accounts: readonly AccountName[],
): Promise<Edge[]> {
  const [mandatory] = await connection
    .query<{ roles: string | null }>('SELECT @@GLOBAL.mandatory_roles AS roles')
    .catch(absent);
  const named = new Set(
    (mandatory?.roles ?? '').split(',').map((role) => role.trim().replaceAll(/[`'"]/g, '')),
  );
  const mandatoryRoles = accounts.filter(
    ({ user, host }) => named.has(`${user}@${host}`) || (user !== '' && named.has(user)),
  );
  const granted = await connection
    .query<Edge>(
      `SELECT TO_USER AS user, TO_HOST AS host, FROM_USER AS asUser, FROM_HOST AS asHost
         FROM mysql.role_edges`,
    )
    .catch(absent);
  const proxies = await connection.query<Edge>(
    `SELECT User AS user, Host AS host, Proxied_user AS asUser, Proxied_host AS asHost
       FROM mysql.proxies_priv`,
  );
  const given = mandatoryRoles.flatMap((role) =>
    accounts.map(({ user, host }) => ({ user, host, asUser: role.user, asHost: role.host })),
  );
  return [...granted, ...proxies, ...given];
}

/** Until nobody is left who may take on somebody who holds it. */
function spread(edges: readonly Edge[], holders: Set<string>): void {
  for (let grew = true; grew;) {
    grew = false;
    for (const edge of edges) {
      const key = keyOf(edge);
      if (holders.has(key)) continue;
      if (!holders.has(keyOf({ user: edge.asUser, host: edge.asHost }))) continue;
      holders.add(key);
      grew = true;
    }
  }
}

interface Edge extends Holder {
  asUser: string;
  asHost: string;
}

/** A server before 8.0 has no roles. */
function absent(error: unknown): [] {
  const errno = isFailure(error) ? error.detail.errno : undefined;
  if (errno === ER_NO_SUCH_TABLE || errno === 1193) return [];
  throw error;
}

export function keyOf({ user, host }: AccountName): string {
  return JSON.stringify([user, host.toLowerCase()]);
}

export function displayAccount({ user, host }: AccountName): string {
  return `${user}@${host}`;
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** A schema in mysql.db is a pattern of LIKE. Folded: a false match only locks more. */
function isLike(schema: string, pattern: string): boolean {
  const source = pattern.replaceAll(
    /\\(.)|([_%])|([.*+?^${}()|[\]\\])/g,
    (_, quoted, wild, special) =>
      quoted !== undefined
        ? `\\x${String(quoted).charCodeAt(0).toString(16).padStart(2, '0')}`
        : wild === '%'
          ? '.*'
          : wild === '_'
            ? '.'
            : `\\${special}`,
  );
  return new RegExp(`^${source}$`, 'i').test(schema);
}
