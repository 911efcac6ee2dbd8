import { createHash } from 'node:crypto';
import type { Connection } from '../../../../mysql/connection.ts';
import { withConnection } from '../../../../mysql/connection.ts';
import { escape as quoteLiteral } from 'mysql2';
import { managedAdministrator } from '../../../servers/accounts.ts';
import { azureLikeFlags, SUPERUSER } from '../../../servers/azure-like-target.ts';
import { parameters } from './parameters.ts';
import { replicationProcedures } from './procedures.ts';
import type { KeptServer, Servers } from './servers.ts';
import { fleetId, hostName } from './servers.ts';
import { bufferPoolBytes, findSku } from './skus.ts';

/** Starts the MySQL server behind a flexible server; nothing is done when it was started before. */
export async function createMysqld(servers: Servers, server: KeptServer): Promise<void> {
  const { servers: fleet } = servers.context;
  await fleet.create({
    id: fleetId(server),
    hostName: hostName(server),
    flags: mysqldFlags(servers, server),
    lowerCaseTableNames: 1,
    superuser: SUPERUSER,
    accounts: [],
    statements: [...replicationProcedures, ...administratorStatements(server)],
  });
  server.defaults = await globalVariables(servers, server);
}

export async function restartMysqld(servers: Servers, server: KeptServer): Promise<void> {
  await servers.context.servers.restart(fleetId(server), mysqldFlags(servers, server));
  server.started = { ...server.overrides };
}

/** As the superuser that no customer gets. */
export function asSuperuser<T>(
  servers: Servers,
  server: KeptServer,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  return withConnection(servers.context.servers.superuser(fleetId(server)), {}, run);
}

/** The server's own values of what Azure has a parameter for. */
export async function globalVariables(
  servers: Servers,
  server: KeptServer,
): Promise<Record<string, string>> {
  const rows = await asSuperuser(servers, server, (connection) =>
    connection.query<{ Variable_name: string; Value: string }>('SHOW GLOBAL VARIABLES'),
  );
  return Object.fromEntries(
    rows
      .filter(({ Variable_name: name }) => parameters.has(name))
      .map(({ Variable_name: name, Value: value }) => [name, value]),
  );
}

export async function setAdministratorPassword(
  servers: Servers,
  server: KeptServer,
  password: string,
): Promise<void> {
  await asSuperuser(servers, server, (connection) =>
    connection.query(`ALTER USER ${administrator(server)} IDENTIFIED BY ${quoteLiteral(password)}`),
  );
}

function mysqldFlags(servers: Servers, server: KeptServer): string[] {
  const sku = findSku(server.sku.name);
  const off = { localInfile: false, logBinTrustFunctionCreators: false };
  return [
    ...azureLikeFlags(servers.context.servers.program, off),
    // Without a standby Azure begins without GTIDs.
    '--gtid-mode=OFF',
    '--enforce-gtid-consistency=OFF',
    // Data-in replication brings over no accounts and nothing else of the system's schema.
    '--replicate-wild-ignore-table=mysql.%',
    `--server-id=${createHash('sha256').update(server.name).digest().readUInt32BE(0) >>> 1}`,
    ...(sku === undefined ? [] : [`--innodb-buffer-pool-size=${bufferPoolBytes(sku)}`]),
    ...Object.entries(server.overrides)
      .filter(([name]) => parameters.get(name)?.ownDefault === undefined)
      .map(([name, value]) => `--${flagOf(name)}=${value}`),
  ];
}

function flagOf(parameter: string): string {
  return parameter === 'time_zone' ? 'default-time-zone' : parameter.replaceAll('_', '-');
}

/** What an administrator of Azure has: no SUPER, no SYSTEM_VARIABLES_ADMIN, nobody else's name as a definer. */
function administratorStatements(server: KeptServer): string[] {
  const name = administrator(server);
  return [
    `CREATE USER ${name} IDENTIFIED BY ${quoteLiteral(server.password ?? '')}`,
    `GRANT ${managedAdministrator} ON *.* TO ${name} WITH GRANT OPTION`,
    `GRANT REPLICATION_APPLIER, ROLE_ADMIN, SESSION_VARIABLES_ADMIN, SHOW_ROUTINE, XA_RECOVER_ADMIN ON *.* TO ${name} WITH GRANT OPTION`,
  ];
}

function administrator({ administratorLogin }: KeptServer): string {
  return `${quoteLiteral(administratorLogin)}@'%'`;
}
