import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { grantTarget } from '../../mysql/identifier.ts';
import type { Act, PlannedAct } from '../act.ts';

export const CONSUMER_ACCOUNTS = 'azure/consumer-accounts';

/** What an application usually needs, and no more: the plan says so, an administrator may add to it. */
const PRIVILEGES = 'SELECT, INSERT, UPDATE, DELETE, EXECUTE';

interface ConsumerAccount {
  readonly user: string;
  /** A reference. */
  readonly password: string;
}

/** Accounts named by switches, once each. A server that existed has its own administrator. */
export function consumerAccounts({ target, cutover }: MigrationConfig): ConsumerAccount[] {
  if (target.kind !== 'azure-mysql-flexible' || target.create === undefined) return [];
  const byUser = new Map(
    cutover.switches.flatMap(({ account }) =>
      account === undefined ? [] : [[account.user, account]],
    ),
  );
  byUser.delete(target.user);
  return [...byUser.values()];
}

/**
 * `connect`: to the server, once it is there. The act leaves what is there.
 */
export async function planConsumerAccounts(
  config: MigrationConfig,
  connect: (() => Promise<Connection>) | null,
): Promise<PlannedAct[]> {
  const wanted = consumerAccounts(config).map(({ user }) => user);
  const users =
    wanted.length === 0 || connect === null
      ? wanted
      : await missing(wanted, config.schemas, connect);
  if (users.length === 0) return [];
  return [
    {
      name: CONSUMER_ACCOUNTS,
      when: 'preparation',
      does: `create the accounts ${users.join(', ')} on the new server where missing, with ${PRIVILEGES} on ${config.schemas.join(', ')}`,
      interrupts: null,
      costs: null,
      cannotBeUndone: null,
      undo: 'goes with the server',
      needsApproval: false,
    },
  ];
}

async function missing(
  users: readonly string[],
  schemas: readonly string[],
  connect: () => Promise<Connection>,
): Promise<string[]> {
  const opened = await connect().catch((error: unknown) => {
    if (isFailure(error)) return null;
    throw error;
  });
  // Not let in yet: the act, which leaves what is there, finds out.
  if (opened === null) return [...users];
  await using connection = opened;
  // One that was made, and then not granted everything, is not there yet.
  const rows = await connection.query<{ user: string }>(
    `SELECT User AS user FROM mysql.db WHERE User IN (${users.map(() => '?').join(', ')})
      GROUP BY User HAVING COUNT(DISTINCT Db) >= ?`,
    [...users, schemas.length],
  );
  const there = new Set(rows.map(({ user }) => user));
  return users.filter((user) => !there.has(user));
}

export interface ConsumerAccountsJob {
  readonly config: MigrationConfig;
  readonly target: () => Promise<Endpoint>;
  readonly resolve: (reference: string) => Promise<string>;
}

/** An account that is there already is left as it is: its password is not this migration's. */
export function consumerAccountsAct({ config, target, resolve }: ConsumerAccountsJob): Act {
  const create = async (connection: Connection, account: ConsumerAccount): Promise<void> => {
    await connection.execute('CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?', [
      account.user,
      '%',
      await resolve(account.password),
    ]);
    for (const schema of config.schemas) {
      await connection.execute(
        `GRANT ${PRIVILEGES} ON ${grantTarget(schema.toLowerCase())} TO ?@?`,
        [account.user, '%'],
      );
    }
  };
  return {
    begin: async () => ({ token: null }),
    async complete(_begun, { signal }) {
      const accounts = consumerAccounts(config);
      await withConnection(await target(), { signal }, async (connection) => {
        for (const account of accounts) await create(connection, account);
      });
      if (accounts.length === 0) throw new SkyferryFailure('INTERNAL', 'no account to create');
      return { note: `${accounts.map(({ user }) => user).join(', ')} can log in to the target` };
    },
  };
}
