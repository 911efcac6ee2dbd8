import { grantTarget } from '../../mysql/identifier.ts';

/** An account to be made on a server of the sandbox. */
export interface Account {
  readonly user: string;
  readonly password: string;
  /** `GRANT` and what follows up to `TO`. */
  readonly grants: readonly string[];
  readonly requireTls?: boolean;
}

/** Passwords are generated: letters and digits only, so that no quoting is needed. */
export function accountStatements({ user, password, grants, requireTls }: Account): string[] {
  const name = `'${user}'@'%'`;
  return [
    `CREATE USER ${name} IDENTIFIED BY '${password}'${requireTls === true ? ' REQUIRE SSL' : ''}`,
    ...grants.map(
      (grant) => `${grant.replace(/ WITH GRANT OPTION$/, '')} TO ${name}${option(grant)}`,
    ),
  ];
}

function option(grant: string): string {
  return grant.endsWith(' WITH GRANT OPTION') ? ' WITH GRANT OPTION' : '';
}

/** `GRANT … ON schema.*` for each schema. In a grant a schema's name is a pattern: `_` is escaped. */
export function grantOn(schemas: readonly string[], privileges: string): string[] {
  return schemas.map((schema) => `GRANT ${privileges} ON ${grantTarget(schema)}`);
}

/**
 * What both clouds give their administrators. They list RELOAD too, but refuse FLUSH TABLES WITH READ
 * LOCK, which RELOAD allows on a plain server: the harmless kinds of FLUSH stand in for it.
 */
export const managedAdministrator =
  'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, PROCESS, REFERENCES, INDEX, ALTER, ' +
  'SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, ' +
  'REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, ' +
  'TRIGGER, CREATE ROLE, DROP ROLE, FLUSH_OPTIMIZER_COSTS, FLUSH_STATUS, FLUSH_USER_RESOURCES';

/** What the application needs on its schemas, wherever they are. */
export const applicationPrivileges = 'SELECT, INSERT, UPDATE, DELETE, EXECUTE';
