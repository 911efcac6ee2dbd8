import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfigText } from '../../src/config/load.ts';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import type { AzureTargetConfig } from '../../src/config/schema.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import { runPreflight } from '../../src/preflight/run.ts';
import { azureConfig } from '../prepare/target/config.ts';
import { startMysqlPair } from '../servers.ts';

let pair: Awaited<ReturnType<typeof startMysqlPair>>;
const { signal } = new AbortController();

beforeAll(async () => {
  pair = await startMysqlPair({
    targetLowerCaseTableNames: 1,
    targetFlags: ['--server-id=1'],
  });
  await run(pair.source, [
    'CREATE DATABASE shop',
    'CREATE TABLE shop.good (id int PRIMARY KEY)',
    'CREATE DATABASE elsewhere',
    'CREATE TABLE elsewhere.t (id int PRIMARY KEY)',
    "CREATE USER poor@'%' IDENTIFIED BY 'p'",
    "GRANT REPLICATION SLAVE, CREATE USER ON *.* TO poor@'%'",
    "CREATE USER reader@'%' IDENTIFIED BY 'p'",
    "GRANT SELECT, SHOW VIEW ON *.* TO reader@'%'",
  ]);
  await run(pair.target, ["CREATE USER poor@'%' IDENTIFIED BY 'p'"]);
});
afterAll(() => pair.stop());

async function run(endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await using connection = await openConnection(endpoint);
  for (const sql of statements) await connection.query(sql);
}

function config(more: string): LocatedConfig {
  const located = locateWritten(
    parseConfigText(
      'skyferry.yaml',
      `name: shop
source: {host: localhost, port: 1, user: root, password: "\${env:A}"}
target: {host: localhost, port: 2, user: root, password: "\${env:A}"}
schemas: [shop]
${more}
`,
    ),
  );
  if (located === null) throw new Error('no address');
  return located;
}

const poor = (of: Endpoint, user = 'poor'): Endpoint => ({ ...of, user, password: 'p' });

async function look(
  more: string | LocatedConfig,
  { source = pair.source, target = pair.target, undecided = false } = {},
) {
  const given = typeof more === 'string' ? config(more) : more;
  const engine = undecided ? null : given.engine;
  return await runPreflight({ config: given, engine, source, target }, { signal });
}

/** Of the engine's own checks. */
async function findings(...args: Parameters<typeof look>): Promise<Finding[]> {
  const all = (await look(...args)).findings;
  return all.filter(({ code }) => /^(native|dms)-/.test(code));
}

/** The same servers as far as MySQL is concerned, described as RDS and Azure. */
const toAzure = (more: Partial<LocatedConfig> = {}): LocatedConfig => {
  const { target, ...plain } = config('');
  const { kind, ...azure } = azureConfig().target as AzureTargetConfig;
  return {
    ...plain,
    engine: 'azure-dms',
    target: { ...target, kind, ...azure, tls: target.tls },
    azureDms: { subnet: '/subscriptions/1/subnets/s', keep: false },
    ...more,
  };
};

test('all engines are looked at, whichever is in use; findings are those of the one in use', async () => {
  const { findings: all, engines } = await look('engine: built-in');
  expect(engines.map(({ engine, possible }) => [engine, possible])).toEqual([
    ['built-in', true],
    ['native', false],
    ['azure-dms', false],
  ]);
  const [, native, dms] = engines;
  expect(native?.blockers.map(({ object }) => object)).toContain('lower_case_table_names');
  expect(dms?.blockers.map(({ object }) => object)).toEqual(['target.kind', 'azureDms']);
  expect(all.filter(({ code }) => /^(native|dms)-/.test(code))).toEqual([]);
});

test('for auto it says what it takes', async () => {
  const { findings: all } = await look('engine: auto', { undecided: true });
  expect(all).toContainEqual(
    expect.objectContaining({
      code: 'engine',
      severity: 'info',
      found: expect.stringContaining('takes built-in') as string,
    }),
  );
});

test('Azure’s service is possible between these two once both have the same sql_mode', async () => {
  const blockers = (found: Finding[]) => found.filter(({ severity }) => severity === 'blocker');
  expect(blockers(await findings(toAzure()))).toEqual([]);
  await run(pair.source, ["SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES'"]);
  await run(pair.target, ["SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'"]);
  try {
    expect(blockers(await findings(toAzure()))).toEqual([
      {
        code: 'dms-settings',
        severity: 'blocker',
        object: 'target sql_mode',
        found: expect.stringContaining('has NO_ZERO_DATE') as string,
        fix: expect.stringContaining("-n sql_mode --value 'STRICT_TRANS_TABLES'") as string,
      },
    ]);
    await run(pair.source, ["SET GLOBAL sql_mode = 'NO_ZERO_DATE'"]);
    await run(pair.target, [
      "SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES'",
      'SET GLOBAL sql_generate_invisible_primary_key = ON',
    ]);
    expect(blockers(await findings(toAzure()))).toMatchObject([
      { object: 'target sql_mode', fix: expect.stringContaining("'STRICT_TRANS_TABLES,NO_ZERO_DATE'") as string },
      { object: 'target sql_generate_invisible_primary_key' },
    ]); // prettier-ignore
  } finally {
    await run(pair.source, ['SET GLOBAL sql_mode = DEFAULT']);
    await run(pair.target, [
      'SET GLOBAL sql_mode = DEFAULT',
      'SET GLOBAL sql_generate_invisible_primary_key = OFF',
    ]);
  }
});

test('what the service cannot move, and what Skyferry carries for it', async () => {
  await run(pair.source, [
    'CREATE DATABASE Branch',
    'CREATE TABLE Branch.bare (a int)',
    'CREATE VIEW Branch.seen AS SELECT a FROM Branch.bare',
  ]);
  const { source } = toAzure();
  const found = await findings(
    toAzure({
      schemas: ['Branch'],
      source: { ...source, kind: 'rds-mysql', region: 'r', instance: 'i', authentication: 'iam' },
    }),
    { source: poor(pair.source, 'reader'), target: poor(pair.target) },
  );
  await run(pair.source, ['DROP DATABASE Branch']);
  const seen = (severity: Finding['severity']) =>
    found.filter((each) => each.severity === severity).map(({ code, object }) => [code, object]);
  expect(seen('blocker')).toEqual([
    ['dms-service', 'source.authentication'],
    ['dms-privileges', 'source account root'],
    ['dms-privileges', 'target account shopadmin'],
    ['dms-tables', 'Branch'],
  ]);
  expect(seen('warning')).toEqual(
    expect.arrayContaining([
      ['dms-privileges', 'target account shopadmin'],
      ['dms-tables', 'Branch.bare'],
    ]),
  );
  expect(found).toContainEqual(
    expect.objectContaining({
      code: 'dms-objects',
      object: '1 views',
      found: expect.stringContaining('drop the definers root@%') as string,
    }),
  );
  expect(JSON.stringify(found)).toContain('GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `reader`@`%`'); // prettier-ignore
});

test('where the servers cannot replicate, that is said by name', async () => {
  const found = await findings('engine: native');
  const blockers = found.filter(({ severity }) => severity === 'blocker');
  expect(blockers.map(({ object }) => object)).toEqual([
    'lower_case_table_names',
    'target server_id',
  ]);
  expect(found).toContainEqual(
    expect.objectContaining({ code: 'native-replication', object: 'native.sourceCaFile' }),
  );
});

test('accounts that may not set it up, and a replication that is there', async () => {
  const weak = await findings('engine: native', {
    source: poor(pair.source),
    target: poor(pair.target),
  });
  expect(weak).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ found: expect.stringContaining('may neither CHANGE') as string }),
      expect.objectContaining({
        found: expect.stringContaining('lacks REPLICATION CLIENT') as string,
      }),
      expect.objectContaining({ found: expect.stringContaining('WITH GRANT OPTION') as string }),
      expect.objectContaining({
        code: 'native-replication',
        severity: 'warning',
        object: 'source account root',
      }),
    ]),
  );
  const named = await findings(
    'engine: native\nnative: {account: {user: repl, password: "${env:B}"}}',
    { source: poor(pair.source) },
  );
  expect(JSON.stringify(named)).not.toContain('WITH GRANT OPTION');
  const unfiltered = await findings('engine: native', { target: poor(pair.target) });
  expect(unfiltered).toContainEqual(
    expect.objectContaining({ severity: 'blocker', object: 'elsewhere' }),
  );
  await run(pair.target, ["CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'other'"]);
  expect(await findings('engine: native')).toContainEqual(
    expect.objectContaining({ severity: 'blocker', found: 'replicates already (other:3306)' }),
  );
});
