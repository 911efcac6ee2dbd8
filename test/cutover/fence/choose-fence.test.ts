import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCapabilities } from '../../../src/cutover/fence/capabilities.ts';
import type { FenceChoice } from '../../../src/cutover/fence/choose-fence.ts';
import { chooseFence } from '../../../src/cutover/fence/choose-fence.ts';
import type { LocatedConfig } from '../../../src/config/located.ts';
import { migrationConfigSchema } from '../../../src/config/schema.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import { Grants } from '../../../src/mysql/grants.ts';
import type { Account } from '../../../src/sandbox/servers/accounts.ts';
import { accountStatements } from '../../../src/sandbox/servers/accounts.ts';
import { azureLikeAccounts } from '../../../src/sandbox/servers/azure-like-target.ts';
import { rdsLikeAccounts } from '../../../src/sandbox/servers/rds-like-source.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
const PASSWORD = 'secret';

beforeAll(async () => {
  server = await startMysql();
});
afterAll(() => server.stop());

async function make(account: Account | undefined, user: string, more: string[] = []) {
  if (account === undefined) throw new Error('no such account');
  await using root = await openConnection(server.endpoint);
  await root.query(`DROP USER IF EXISTS \`${user}\`@'%'`);
  for (const sql of [...accountStatements({ ...account, user }), ...more]) await root.query(sql);
}

type Wanted = Pick<LocatedConfig['cutover'], 'fence' | 'downtimeBudget'>;

async function choose(user: string, kind: string, cutover: Partial<Wanted> = {}) {
  const source = kind === 'mysql' ? { host: 'a' } : { kind, region: 'eu-central-1', instance: 'a' };
  const login = { user, password: '${env:A}' };
  const config = migrationConfigSchema.parse({
    name: 'shop',
    source: { ...source, ...login },
    target: { host: 'b', ...login },
    schemas: ['shop'],
    cutover,
  });
  const located = { ...config, source: { ...config.source, host: 'a', port: 3306 } };
  const account = { ...server.endpoint, user, password: PASSWORD };
  const capabilities = await withConnection(account, {}, async (connection) =>
    readCapabilities(connection, await Grants.read(connection), user),
  );
  return chooseFence(located, capabilities);
}

const refusal = (choice: FenceChoice): string => choice.refused ?? `chosen: ${choice.kind}`;

test('an Azure administrator may lock accounts and can end nobody’s sessions: refused by name', async () => {
  const passwords = { admin: PASSWORD, migration: PASSWORD, app: PASSWORD };
  const [admin] = azureLikeAccounts(['shop'], passwords);
  await make(admin, 'azure');
  expect(refusal(await choose('azure', 'mysql', { fence: 'account-lock' }))).toContain(
    'ends sessions of others',
  );
  expect(refusal(await choose('azure', 'mysql'))).toContain('SYSTEM_VARIABLES_ADMIN');
});

test('on RDS accounts are locked by itself; the parameter only where the budget covers it both ways', async () => {
  const passwords = { admin: PASSWORD, migration: PASSWORD, fence: PASSWORD, app: PASSWORD };
  await using root = await openConnection(server.endpoint);
  const [{ v } = { v: '' }] = await root.query<{ v: string }>('SELECT VERSION() AS v');
  const accounts = rdsLikeAccounts(v, ['shop'], passwords);
  const admin = accounts.find(({ user }) => user === 'admin');
  await make(admin, 'master');
  const withoutKill = await choose('master', 'rds-mysql');
  expect(refusal(withoutKill)).toContain('ends sessions of others');
  expect(await choose('master', 'rds-mysql', { downtimeBudget: '5m' })).toMatchObject({
    kind: 'rds-read-only',
  });
  expect(refusal(await choose('master', 'rds-mysql', { fence: 'rds-read-only' }))).toContain(
    'downtime budget is 60s',
  );
  await root.query(
    'CREATE PROCEDURE mysql.rds_kill(IN thread BIGINT) READS SQL DATA SQL SECURITY DEFINER KILL thread',
  );
  expect(await choose('master', 'rds-mysql')).toEqual({ kind: 'account-lock' });
  expect(
    refusal(await choose('master', 'mysql', { fence: 'rds-read-only', downtimeBudget: '5m' })),
  ).toContain('only of an RDS instance');
  expect(refusal(await choose('master', 'rds-mysql', { fence: 'aurora-read-only' }))).toContain(
    'mysql.rds_set_read_only',
  );
});

test('who may set the variables stops the whole server', async () => {
  await make({ user: 'own', password: PASSWORD, grants: [] }, 'own', [
    "GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN, REPLICATION CLIENT, CREATE USER ON *.* TO own@'%'",
    "GRANT SELECT ON mysql.* TO own@'%'",
  ]);
  expect(await choose('own', 'mysql')).toEqual({ kind: 'super-read-only' });
  expect(await choose('own', 'mysql', { fence: 'account-lock' })).toEqual({ kind: 'account-lock' });
});
