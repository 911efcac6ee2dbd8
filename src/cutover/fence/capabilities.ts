import type { Connection } from '../../mysql/connection.ts';
import { readAccount } from '../../mysql/server-facts.ts';
import type { Grants } from '../../mysql/grants.ts';

/** What the fence account lacks for each way of stopping writes; nothing: it can. */
export interface FenceCapabilities {
  readonly user: string;
  readonly superReadOnly: readonly Lack[];
  readonly accountLock: readonly Lack[];
  /** Of the proof alone, for a fence that is raised by the service's own interface. */
  readonly proof: readonly Lack[];
  readonly auroraReadOnly: readonly Lack[];
}

export interface Lack {
  readonly what: string;
  /** The statement that gives it; null: nobody can, here. */
  readonly grant: string | null;
}

const PROOF = ['PROCESS', 'XA_RECOVER_ADMIN'];

/** `mysql.rds_kill` exists and may be called, so sessions of others can be ended without CONNECTION_ADMIN. */
export async function readCapabilities(
  connection: Connection,
  grants: Grants,
  user: string,
): Promise<FenceCapabilities> {
  const procedures = new Set(
    (
      await connection.query<{ n: string }>(
        "SELECT routine_name AS n FROM information_schema.routines WHERE routine_schema = 'mysql' AND routine_name IN ('rds_kill', 'rds_set_read_only')",
      )
    ).map(({ n }) => n),
  );
  const account = await readAccount(connection);
  const globally = (...privileges: string[]) =>
    privileges
      .filter((privilege) => !grants.global(privilege))
      .map((what) => ({ what, grant: `GRANT ${what} ON *.* TO ${account};` }));
  const endsSessions = grants.global('CONNECTION_ADMIN') || grants.global('SUPER');
  const calls = (name: string): Lack[] => {
    if (!procedures.has(name)) return [{ what: `the procedure mysql.${name}`, grant: null }];
    if (grants.execute(`mysql.${name}`)) return [];
    const what = `EXECUTE on mysql.${name}`;
    return [{ what, grant: `GRANT EXECUTE ON PROCEDURE mysql.${name} TO ${account};` }];
  };
  const kills = endsSessions || calls('rds_kill').length === 0;
  const seesAccounts = grants.onSchema('SELECT', 'mysql')
    ? []
    : [{ what: 'SELECT on mysql', grant: `GRANT SELECT ON mysql.* TO ${account};` }];
  return {
    user,
    superReadOnly: globally(
      'SYSTEM_VARIABLES_ADMIN',
      'CONNECTION_ADMIN',
      ...PROOF,
      'REPLICATION CLIENT',
    ),
    accountLock: [
      ...globally('CREATE USER', ...PROOF),
      ...seesAccounts,
      ...(kills
        ? []
        : [
            {
              what: 'what ends sessions of others: CONNECTION_ADMIN, or mysql.rds_kill',
              grant: `GRANT CONNECTION_ADMIN ON *.* TO ${account};`,
            },
          ]),
    ],
    proof: [...globally(...PROOF), ...seesAccounts],
    auroraReadOnly: [...globally(...PROOF), ...seesAccounts, ...calls('rds_set_read_only')],
  };
}
