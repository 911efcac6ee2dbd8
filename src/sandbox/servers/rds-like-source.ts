import type { Program } from '../resolver/program.ts';
import { isAtLeast } from '../resolver/version.ts';
import type { Account } from './accounts.ts';
import { applicationPrivileges, grantOn, managedAdministrator } from './accounts.ts';

/** RDS's own superuser; its customers never get it. */
export const SUPERUSER = 'rdsadmin';

/** Parameters as on RDS for MySQL 8 with backups on. */
export function rdsLikeFlags(program: Pick<Program, 'flags'>): string[] {
  return [
    '--server-id=1101',
    '--log-bin=mysql-bin-changelog',
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
    '--binlog-row-image=FULL',
    '--event-scheduler=ON',
    '--log-bin-trust-function-creators=ON',
    '--default-time-zone=+00:00',
    '--max-connections=300',
    '--innodb-buffer-pool-size=256M',
    '--innodb-redo-log-capacity=512M',
    ...nativeForeignKeys(program),
  ];
}

/** From 9.6 on cascades are made above InnoDB and logged; 8.x does neither, and so does this flag. */
export function nativeForeignKeys(program: Pick<Program, 'flags'>): string[] {
  const flag = 'innodb-native-foreign-keys';
  return program.flags.has(flag) ? [`--${flag}=ON`] : [];
}

export interface SourcePasswords {
  readonly admin: string;
  readonly migration: string;
  readonly fence: string;
  readonly app: string;
}

export function rdsLikeAccounts(
  mysqlVersion: string,
  schemas: readonly string[],
  passwords: SourcePasswords,
): Account[] {
  // Split in two by 8.2.
  const anyDefiner = isAtLeast(mysqlVersion, '8.2.0')
    ? 'SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER'
    : 'SET_USER_ID';
  return [
    {
      // No SUPER, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, BACKUP_ADMIN or FILE.
      user: 'admin',
      password: passwords.admin,
      grants: [
        `GRANT ${managedAdministrator} ON *.* WITH GRANT OPTION`,
        `GRANT APPLICATION_PASSWORD_ADMIN, ROLE_ADMIN, ${anyDefiner}, XA_RECOVER_ADMIN ON *.* WITH GRANT OPTION`,
      ],
    },
    {
      user: 'skyferry_src',
      password: passwords.migration,
      requireTls: true,
      grants: [
        ...grantOn(schemas, 'SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES'),
        'GRANT SHOW_ROUTINE, REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
        'GRANT EXECUTE ON PROCEDURE mysql.rds_show_configuration',
        'GRANT EXECUTE ON PROCEDURE mysql.rds_set_configuration',
      ],
    },
    {
      // RDS has no such account: this is the self-managed server's way of stopping writes.
      user: 'skyferry_fence',
      password: passwords.fence,
      requireTls: true,
      grants: [
        'GRANT CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN, CREATE USER, PROCESS, XA_RECOVER_ADMIN, REPLICATION CLIENT ON *.*',
      ],
    },
    { user: 'app', password: passwords.app, grants: grantOn(schemas, applicationPrivileges) },
  ];
}

/** RDS's procedures for the binlog's retention, with a table behind them that really keeps it. */
export const rdsConfigurationStatements: readonly string[] = [
  `CREATE TABLE mysql.rds_configuration (
    name        varchar(100) NOT NULL PRIMARY KEY,
    value       varchar(100) NULL,
    description varchar(300) NOT NULL
  ) ENGINE=InnoDB CHARACTER SET utf8mb4`,
  `INSERT INTO mysql.rds_configuration VALUES
    ('binlog retention hours', NULL, 'binlog retention hours specifies the duration in hours before binary logs are automatically deleted.'),
    ('source delay', '0', 'source delay specifies replication delay in seconds between current instance and its master.'),
    ('target delay', '0', 'target delay specifies replication delay in seconds between current instance and its future read-replica.')`,
  `CREATE DEFINER='${SUPERUSER}'@'localhost' PROCEDURE mysql.rds_show_configuration()
    READS SQL DATA SQL SECURITY DEFINER
    SELECT name, value, description FROM mysql.rds_configuration ORDER BY name`,
  `CREATE DEFINER='${SUPERUSER}'@'localhost' PROCEDURE mysql.rds_set_configuration(IN in_name varchar(100), IN in_value int)
    MODIFIES SQL DATA SQL SECURITY DEFINER
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM mysql.rds_configuration WHERE name = in_name) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Invalid configuration name';
      END IF;
      IF in_name = 'binlog retention hours' AND (in_value < 1 OR in_value > 168) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'binlog retention hours must be NULL or 1 to 168';
      END IF;
      UPDATE mysql.rds_configuration SET value = in_value WHERE name = in_name;
    END`,
];
