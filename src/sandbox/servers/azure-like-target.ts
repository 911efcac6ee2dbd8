import type { Program } from '../resolver/program.ts';
import type { Account } from './accounts.ts';
import { applicationPrivileges, grantOn, managedAdministrator } from './accounts.ts';
import { nativeForeignKeys } from './rds-like-source.ts';

/** Azure's own superuser; its customers never get it. */
export const SUPERUSER = 'azure_superuser';

/** Parameters that an Azure customer may set either way. */
export interface TargetParameters {
  readonly localInfile: boolean;
  readonly logBinTrustFunctionCreators: boolean;
}

/** Parameters as on Azure Database for MySQL flexible server. */
export function azureLikeFlags(
  program: Pick<Program, 'flags'>,
  { localInfile, logBinTrustFunctionCreators }: TargetParameters,
): string[] {
  return [
    '--server-id=2201',
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
    '--binlog-row-image=FULL',
    '--sql-generate-invisible-primary-key=ON',
    '--require-secure-transport=ON',
    '--event-scheduler=OFF',
    `--local-infile=${localInfile ? 'ON' : 'OFF'}`,
    `--log-bin-trust-function-creators=${logBinTrustFunctionCreators ? 'ON' : 'OFF'}`,
    '--default-time-zone=+00:00',
    '--max-connections=300',
    '--innodb-buffer-pool-size=256M',
    '--innodb-redo-log-capacity=512M',
    ...nativeForeignKeys(program),
  ];
}

export interface TargetPasswords {
  readonly admin: string;
  readonly migration: string;
  readonly app: string;
}

export function azureLikeAccounts(
  schemas: readonly string[],
  passwords: TargetPasswords,
): Account[] {
  // Names are kept in lower case there, those in grants as well.
  const spelled = schemas.map((schema) => schema.toLowerCase());
  return [
    {
      // No SUPER, SYSTEM_VARIABLES_ADMIN, BINLOG_ADMIN, CONNECTION_ADMIN, FILE, BACKUP_ADMIN, and
      // nobody else's name as a definer.
      user: 'admin',
      password: passwords.admin,
      grants: [
        `GRANT ${managedAdministrator} ON *.* WITH GRANT OPTION`,
        'GRANT REPLICATION_APPLIER, ROLE_ADMIN, SESSION_VARIABLES_ADMIN, SHOW_ROUTINE, XA_RECOVER_ADMIN ON *.* WITH GRANT OPTION',
      ],
    },
    {
      user: 'skyferry_tgt',
      password: passwords.migration,
      requireTls: true,
      grants: [
        ...grantOn(
          spelled,
          'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW, ' +
            // It becomes the definer of what it creates, so it must be able to run it.
            'CREATE ROUTINE, ALTER ROUTINE, EXECUTE, EVENT, TRIGGER',
        ),
        ...grantOn(['skyferry'], 'CREATE, ALTER, DROP, SELECT, INSERT, UPDATE, DELETE'),
        'GRANT REPLICATION_APPLIER, SESSION_VARIABLES_ADMIN ON *.*',
      ],
    },
    { user: 'app', password: passwords.app, grants: grantOn(spelled, applicationPrivileges) },
  ];
}
