import { createHash } from 'node:crypto';
import { withConnection } from '../../../../mysql/connection.ts';
import { quoteIdentifier } from '../../../../mysql/identifier.ts';
import { isAtLeast } from '../../../resolver/version.ts';
import type { Account } from '../../../servers/accounts.ts';
import { managedAdministrator } from '../../../servers/accounts.ts';
import { rdsConfigurationStatements, SUPERUSER } from '../../../servers/rds-like-source.ts';
import type { MysqlServerSpec } from '../../service.ts';
import type { Instance, Rds } from './state.ts';
import { findGroup } from './state.ts';

/** The instance's server in the fleet. */
export function serverId({ id }: Instance): string {
  return `rds-${id}`;
}

export function hostName({ context }: Rds, id: string): string {
  const digest = createHash('sha256').update(context.region).digest('hex').slice(0, 11);
  return `${id}.c${digest}.${context.region}.rds.amazonaws.com`;
}

/** A new instance's server: RDS's superuser, its procedures, and the master user with RDS's rights. */
export function serverSpec(
  rds: Rds,
  instance: Instance,
  flags: readonly string[],
): MysqlServerSpec {
  const group = findGroup(rds, 'instance', instance.group);
  const lowerCase = group.values['lower_case_table_names']?.value;
  return {
    id: serverId(instance),
    hostName: hostName(rds, instance.id),
    flags,
    lowerCaseTableNames: lowerCase === '1' ? 1 : 0,
    superuser: SUPERUSER,
    accounts: [masterAccount(instance)],
    statements: [
      ...rdsConfigurationStatements,
      ...killStatements,
      ...(instance.cluster === null ? [] : auroraStatements),
      ...(instance.database === null
        ? []
        : [`CREATE DATABASE ${quoteIdentifier(instance.database)}`]),
    ],
  };
}

function masterAccount({ masterUser, masterPassword, cluster }: Instance): Account {
  return {
    user: masterUser,
    password: masterPassword ?? '',
    grants: [
      `GRANT ${managedAdministrator} ON *.* WITH GRANT OPTION`,
      'GRANT APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN, XA_RECOVER_ADMIN ON *.* WITH GRANT OPTION',
      // Aurora's has these too, and so writes on under read_only.
      ...(cluster === null
        ? []
        : ['GRANT CONNECTION_ADMIN, SHOW_ROUTINE ON *.* WITH GRANT OPTION']),
    ],
  };
}

/** A privilege of the master user whose name depends on the server's own version. */
export async function grantDefiners({ context }: Rds, instance: Instance): Promise<void> {
  const superuser = context.servers.superuser(serverId(instance));
  await withConnection(superuser, { session: ['SET sql_log_bin = 0'] }, async (connection) => {
    const [row] = await connection.query('SELECT VERSION() AS version');
    const privileges = isAtLeast(String(row?.version), '8.2.0')
      ? 'SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER'
      : 'SET_USER_ID';
    await connection.query(
      `GRANT ${privileges} ON *.* TO '${instance.masterUser}'@'%' WITH GRANT OPTION`,
    );
  });
}

export async function setMasterPassword(
  rds: Rds,
  instance: Instance,
  password: string,
): Promise<void> {
  const superuser = rds.context.servers.superuser(serverId(instance));
  await withConnection(superuser, { session: ['SET sql_log_bin = 0'] }, (connection) =>
    connection.query(`ALTER USER '${instance.masterUser}'@'%' IDENTIFIED BY '${password}'`),
  );
}

const definer = `DEFINER='${SUPERUSER}'@'localhost'`;

/** Nobody may end RDS's own sessions. */
function killProcedure(name: string, parameter: string, kill: string): string {
  return `CREATE ${definer} PROCEDURE mysql.${name}(IN ${parameter} BIGINT)
    READS SQL DATA SQL SECURITY DEFINER
    BEGIN
      IF EXISTS (SELECT 1 FROM information_schema.processlist WHERE id = ${parameter} AND user = '${SUPERUSER}') THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Cannot kill a thread of ${SUPERUSER}';
      END IF;
      ${kill} ${parameter};
    END`;
}

const killStatements = [
  killProcedure('rds_kill', 'in_thread', 'KILL'),
  killProcedure('rds_kill_query', 'in_thread', 'KILL QUERY'),
];

const auroraStatements = [
  `CREATE ${definer} PROCEDURE mysql.rds_set_read_only(IN in_mode TINYINT)
    MODIFIES SQL DATA SQL SECURITY DEFINER
    SET GLOBAL read_only = in_mode`,
];
