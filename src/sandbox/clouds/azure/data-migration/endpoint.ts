import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { withConnection } from '../../../../mysql/connection.ts';
import type { Connection } from '../../../../mysql/connection.ts';
import type { Endpoint } from '../../../../mysql/endpoint.ts';
import { SkyferryFailure } from '../../../../failures.ts';
import type { CloudContext } from '../../service.ts';
import type { ConnectionInfo } from './schemas.ts';

/** Where the service logs in: names as the virtual network sees them, by TLS unless told otherwise. */
export async function endpointOf(
  { names, ca }: CloudContext,
  { serverName, port, userName = '', password = '', encryptConnection = true }: ConnectionInfo,
): Promise<Endpoint> {
  const host = await addressOf(names.address, serverName);
  const tls = encryptConnection
    ? ({ mode: 'verify-ca', ca } as const)
    : ({ mode: 'disabled' } as const);
  return { host, port, user: userName, password, tls };
}

async function addressOf(nameServer: string, host: string): Promise<string> {
  if (isIP(host) !== 0 || host === 'localhost') return host;
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([nameServer]);
  const [address] = await resolver.resolve4(host).catch(() => []);
  if (address !== undefined) return address;
  throw new SkyferryFailure('CONNECTION_LOST', `the server ${host} cannot be found`);
}

export interface ServerFacts {
  readonly version: string;
  readonly brand: string;
  readonly databases: readonly string[];
  /** Global ones of the account. */
  readonly privileges: ReadonlySet<string>;
  readonly globals: Readonly<Record<string, string>>;
}

const systemSchemas = ['information_schema', 'mysql', 'performance_schema', 'sys'];

/** Logs in and looks. */
export function readFacts(endpoint: Endpoint, signal: AbortSignal): Promise<ServerFacts> {
  return withConnection(endpoint, { signal }, async (connection) => {
    const [row] = await connection.query('SELECT @@version AS version, @@version_comment AS brand');
    const databases = await connection.query(
      `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME`,
    );
    return {
      version: String(row?.['version']),
      brand: String(row?.['brand']),
      databases: databases
        .map(({ name }) => String(name))
        .filter((name) => !systemSchemas.includes(name)),
      privileges: await readPrivileges(connection),
      globals: await readGlobals(connection),
    };
  });
}

async function readPrivileges(connection: Connection): Promise<Set<string>> {
  const rows = await connection.query(
    `SELECT PRIVILEGE_TYPE AS name FROM information_schema.USER_PRIVILEGES
      WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')`,
  );
  return new Set(rows.map(({ name }) => String(name)));
}

async function readGlobals(connection: Connection): Promise<Record<string, string>> {
  const rows = await connection.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', 'lower_case_table_names', 'sql_mode')",
  );
  return Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]));
}
