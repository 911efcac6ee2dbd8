import { azureProcedures, findSteering } from '../../engines/native/steering.ts';
import type { ServerFacts } from '../facts.ts';
import { check } from '../finding.ts';

export const nativePrivilegesCheck = check(
  'native-privileges',
  'replication may be set up on the target, with an account on the source',
  async ({ source, target, config }) => {
    const { account } = config.native ?? {};
    return [
      ...(await mayNotSteer(target)),
      ...(target.grants.global('REPLICATION CLIENT')
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: `target account ${target.user}`,
              found: 'lacks REPLICATION CLIENT, so it cannot see whether replication runs',
              fix: `GRANT REPLICATION CLIENT ON *.* TO ${target.account};`,
            },
          ]),
      ...(account === undefined && !(await mayMakeAccounts(source))
        ? [
            {
              severity: 'blocker' as const,
              object: `source account ${source.user}`,
              found:
                'may not make an account for replication (CREATE USER, and REPLICATION SLAVE WITH GRANT OPTION)',
              fix: "CREATE USER …@'%' IDENTIFIED BY … (at most 32 characters); GRANT REPLICATION SLAVE ON *.* TO …; and name it as native.account",
            },
          ]
        : []),
    ];
  },
);

async function mayNotSteer({ connection, grants, user, account }: ServerFacts) {
  const steering = findSteering(grants);
  // EXECUTE on everything says nothing of what there is.
  if (steering?.by === 'CHANGE REPLICATION SOURCE') return [];
  const rows = await connection.query<{ n: string }>(
    `SELECT ROUTINE_NAME AS n FROM information_schema.routines
     WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME LIKE 'az\\_replication%'`,
  );
  const there = new Set(rows.map(({ n }) => n));
  if (steering !== null && azureProcedures.every((name) => there.has(name))) return [];
  return [
    {
      severity: 'blocker' as const,
      object: `target account ${user}`,
      found: 'may neither CHANGE REPLICATION SOURCE nor call mysql.az_replication_*',
      fix: `GRANT REPLICATION_SLAVE_ADMIN ON *.* TO ${account}; on Azure: ${azureProcedures.map((name) => `GRANT EXECUTE ON PROCEDURE mysql.${name} TO ${account};`).join(' ')}`,
    },
  ];
}

async function mayMakeAccounts({ connection, grants }: ServerFacts): Promise<boolean> {
  if (!grants.global('CREATE USER')) return false;
  const rows = await connection.query('SHOW GRANTS');
  return rows
    .map((row) => String(Object.values(row)[0]))
    .some((text) =>
      /^GRANT .*(REPLICATION SLAVE|ALL PRIVILEGES).* ON \*\.\* TO .* WITH GRANT OPTION/.test(text),
    );
}
