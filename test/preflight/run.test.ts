import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfigText } from '../../src/config/load.ts';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { createFileSwitch } from '../../src/cutover/switches/file.ts';
import { setStartPosition } from '../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../src/checkpoint/take-name.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import { collationsCheck } from '../../src/preflight/checks/collations.ts';
import { columnsCheck } from '../../src/preflight/checks/column-types.ts';
import { fenceCheck } from '../../src/preflight/checks/fence.ts';
import { retentionCheck } from '../../src/preflight/checks/retention.ts';
import { readServerFacts } from '../../src/preflight/facts.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import type { View } from '../../src/mysql/catalog/types.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { planHash } from '../../src/plan/plan-hash.ts';
import type { PreflightInput } from '../../src/preflight/run.ts';
import { runPreflight } from '../../src/preflight/run.ts';
import { azureConfig } from '../prepare/target/config.ts';
import { startMysqlPair } from '../servers.ts';

let pair: Awaited<ReturnType<typeof startMysqlPair>>;
let config: LocatedConfig;
const { signal } = new AbortController();

beforeAll(async () => {
  pair = await startMysqlPair({
    targetLowerCaseTableNames: 1,
    sourceFlags: ['--loose-binlog-expire-logs-seconds=3600', '--binlog-ignore-db=unlogged'],
  });
  await run(pair.source, [
    'CREATE DATABASE shop',
    'CREATE DATABASE elsewhere',
    'CREATE DATABASE unlogged',
    'CREATE TABLE elsewhere.parent (id int PRIMARY KEY)',
    'CREATE TABLE shop.good (id int PRIMARY KEY, v varchar(20))',
    "CREATE USER poor@'%' IDENTIFIED BY 'p'",
    "GRANT SELECT ON shop.* TO poor@'%'",
  ]);
  await run(pair.target, ["CREATE USER poor@'%' IDENTIFIED BY 'p'"]);
  const located = locateWritten(
    parseConfigText(
      'skyferry.yaml',
      `name: shop
source: {host: localhost, port: 1, user: root, password: "\${env:A}", fence: {user: root, password: "\${env:A}"}}
target: {host: localhost, port: 2, user: root, password: "\${env:A}"}
schemas: [shop]
cutover: {switches: [{consumer: api, kind: command, command: move}]}
`,
    ),
  );
  if (located === null) throw new Error('no address');
  config = located;
});
afterAll(() => pair.stop());

test('a plain pair has one blocker: another schema that the fence would stop', async () => {
  const findings = await preflight();
  expect(codes(findings, 'blocker')).toEqual(['other-schemas']);
  expect(of(findings, 'binlog-retention')).toMatchObject([{ severity: 'warning' }]);
});

test('naming the other schema lifts it; accepted warnings become notes', async () => {
  const findings = await preflight({
    ...config,
    cutover: { ...config.cutover, otherSchemasMayBeFenced: ['elsewhere'] },
    preflight: { accept: ['binlog-retention'] },
  });
  expect(codes(findings, 'blocker')).toEqual([]);
  expect(of(findings, 'binlog-retention')).toMatchObject([{ severity: 'info' }]);
});

test('shapes that cannot be carried are refused by name', async () => {
  await run(pair.source, [
    'CREATE TABLE shop.old_engine (id int PRIMARY KEY) ENGINE=MyISAM',
    'CREATE TABLE shop.`Twice` (id int PRIMARY KEY)',
    'CREATE TABLE shop.`twice` (id int PRIMARY KEY)',
    'CREATE TABLE shop.child (id int PRIMARY KEY, p int, CONSTRAINT out_fk FOREIGN KEY (p) REFERENCES elsewhere.parent (id) ON DELETE CASCADE)',
    'CREATE TABLE shop.bare (a int)',
  ]);
  await run(pair.target, [
    'CREATE DATABASE shop',
    'CREATE TABLE shop.leftover (a int PRIMARY KEY)',
  ]);
  const findings = await preflight();
  expect(of(findings, 'storage-engines')).toMatchObject([
    { severity: 'blocker', object: 'shop.old_engine' },
  ]);
  expect(of(findings, 'table-names')).toContainEqual(
    expect.objectContaining({
      severity: 'blocker',
      object: expect.stringContaining('shop.Twice') as string,
    }),
  );
  expect(of(findings, 'foreign-keys')).toContainEqual(
    expect.objectContaining({ severity: 'blocker', object: 'shop.child.out_fk' }),
  );
  expect(of(findings, 'row-keys')).toMatchObject([{ severity: 'warning', object: 'shop.bare' }]);
  expect(of(findings, 'target-empty')).toMatchObject([
    { severity: 'blocker', object: 'shop.leftover' },
  ]);
});

test('JSON scalars that the copy cannot make are named by column', async () => {
  await run(pair.source, [
    'CREATE TABLE shop.bytes (tb tinyblob, bl blob, d decimal(10,3))',
    "INSERT INTO shop.bytes VALUES ('a', 'b', 1.5)",
    'CREATE TABLE shop.documents (id int PRIMARY KEY, made json, `odd ``one` json)',
    "INSERT INTO shop.documents SELECT 1, JSON_ARRAY(d, bl, NOW(), 'x'), JSON_OBJECT('a', JSON_ARRAY(1, tb)) FROM shop.bytes",
    "INSERT INTO shop.documents VALUES (2, NULL, '{}')",
  ]);
  const findings = await preflight();
  expect(of(findings, 'json-scalars')).toMatchObject([
    { severity: 'warning', object: 'shop.documents.odd `one' },
  ]);
  await run(pair.source, ['DROP TABLE shop.bytes, shop.documents']);
});

test('settings of source and target, each with its fix', async () => {
  await run(pair.source, [
    "SET GLOBAL binlog_row_image = 'MINIMAL'",
    "SET GLOBAL binlog_row_value_options = 'PARTIAL_JSON'",
  ]);
  await run(pair.target, [
    'SET GLOBAL local_infile = OFF',
    'SET GLOBAL max_allowed_packet = 1048576',
  ]);
  const findings = await preflight();
  const binlog = of(findings, 'binlog-settings');
  expect(binlog.map(({ object }) => object)).toEqual([
    'source binlog_row_image',
    'source binlog_row_value_options',
  ]);
  expect(binlog.every(({ severity, fix }) => severity === 'blocker' && fix !== undefined)).toBe(
    true,
  );
  expect(of(findings, 'load-settings')).toMatchObject([
    { severity: 'blocker', object: 'target local_infile' },
  ]);
  expect(of(findings, 'packet-size')).toMatchObject([{ severity: 'warning' }]);
  // As they stand, they mend it.
  const mending = [...of(findings, 'load-settings'), ...of(findings, 'packet-size')];
  await run(
    pair.target,
    mending.flatMap(({ fix = '' }) => fix.match(/SET PERSIST [^;]+/) ?? []),
  );
  const after = await preflight();
  expect(of(after, 'load-settings')).toMatchObject([{ severity: 'ok' }]);
  expect(of(after, 'packet-size')).toMatchObject([{ severity: 'ok' }]);
});

test('a target whose sessions begin without autocommit keeps no checkpoint', async () => {
  await run(pair.target, ['SET GLOBAL autocommit = OFF']);
  try {
    expect(of(await preflight(), 'load-settings')).toMatchObject([
      { severity: 'blocker', object: 'target autocommit' },
    ]);
  } finally {
    await run(pair.target, ['SET GLOBAL autocommit = ON']);
  }
});

test('the same offset under another name is no finding, another offset is', async () => {
  const zones = async (source: string, target: string) => {
    await run(pair.source, [`SET GLOBAL time_zone = '${source}'`]);
    await run(pair.target, [`SET GLOBAL time_zone = '${target}'`]);
    return of(await preflight(), 'time-zones').map(({ severity }) => severity);
  };
  try {
    // Named zones need tables that these servers have not; the machine's own is what SYSTEM stands for.
    expect(await zones('SYSTEM', 'SYSTEM')).toEqual(['ok']);
    expect(await zones('+00:00', '-00:00')).toEqual(['ok']);
    expect(await zones('+00:00', '+09:00')).toEqual(['warning']);
  } finally {
    await zones('SYSTEM', 'SYSTEM');
  }
});

test('an event scheduler that is off on the target is warned of, except where the migration turns it on', async () => {
  const warned = async (wanted: LocatedConfig) =>
    of(await preflight(wanted), 'stored-programs').some(({ severity }) => severity === 'warning');
  const azure = (manage: 'parameters'[]): LocatedConfig => {
    const target = azureConfig({ create: undefined, sku: undefined, manage }).target;
    const { host, port } = config.target;
    return { ...config, target: { ...target, host, port } };
  };
  await run(pair.source, [
    'CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DO 1',
    'SET GLOBAL event_scheduler = ON',
  ]);
  await run(pair.target, ['SET GLOBAL event_scheduler = OFF']);
  try {
    expect(await warned(config)).toBe(true);
    expect(await warned(azure([]))).toBe(true);
    expect(await warned(azure(['parameters']))).toBe(false);
  } finally {
    await run(pair.source, ['DROP EVENT shop.tick']);
    await run(pair.target, ['SET GLOBAL event_scheduler = ON']);
  }
});

test('missing rights are named with the GRANT that gives them', async () => {
  const poor = (endpoint: Endpoint): Endpoint => ({ ...endpoint, user: 'poor', password: 'p' });
  const looked = async () =>
    await look(
      { config, source: poor(pair.source), target: poor(pair.target), fence: poor(pair.source) },
      { signal },
    );
  const findings = await looked();
  const statements = (code: string) =>
    of(findings, code).flatMap(({ fix = '' }) => fix.match(/^GRANT [^;]+|(?<=; )GRANT [^;]+/g) ?? []); // prettier-ignore
  await run(pair.source, [...statements('source-privileges'), ...statements('fence')]);
  await run(pair.target, statements('target-privileges'));
  const after = await looked();
  for (const code of ['source-privileges', 'target-privileges', 'fence']) {
    expect(codes(of(findings, code), 'blocker')).toEqual([code]);
    expect(codes(of(after, code), 'blocker')).toEqual([]);
  }
});

test('one server under two names, a wrong authority, a wrong password', async () => {
  const same = await look(
    { config, source: pair.source, target: pair.source, fence: pair.source },
    { signal },
  );
  expect(of(same, 'server-identity')).toMatchObject([{ severity: 'blocker' }]);
  const untrusted: Endpoint = { ...pair.source, tls: { mode: 'verify-identity' } };
  const login = await look(
    {
      config,
      source: untrusted,
      target: { ...pair.target, password: 'wrong' },
      fence: pair.source,
    },
    { signal },
  );
  expect(login.map(({ severity }) => severity)).toEqual(['blocker', 'blocker', 'ok']);
  expect(JSON.stringify(login)).not.toContain('wrong');
});

test('a consumer that cannot log in to the target is a warning with its name', async () => {
  const findings = await look(
    {
      config,
      source: pair.source,
      target: pair.target,
      fence: pair.source,
      consumers: [{ consumer: 'api', account: { ...pair.target, user: 'nobody', password: 'x' } }],
    },
    { signal },
  );
  expect(of(findings, 'consumers')).toContainEqual(
    expect.objectContaining({
      severity: 'warning',
      object: expect.stringContaining('api: nobody@') as string,
    }),
  );
});

test('the lock of accounts is chosen where the variables cannot be set, and says whom it reaches', async () => {
  await run(pair.source, [
    "CREATE USER locks@'%' IDENTIFIED BY 'p'",
    "GRANT CREATE USER, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN ON *.* TO locks@'%'",
    "GRANT SELECT ON mysql.* TO locks@'%'",
    "CREATE USER web@'%' IDENTIFIED BY 'p'",
    "GRANT INSERT ON shop.* TO web@'%'",
    'CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.good WHERE FALSE',
  ]);
  const fence: Endpoint = { ...pair.source, user: 'locks', password: 'p' };
  const located: LocatedConfig = {
    ...config,
    source: { ...config.source, fence: { user: 'locks', password: '${env:A}' } },
  };
  const checked = (cutover: Partial<LocatedConfig['cutover']> = {}) =>
    look(
      {
        config: { ...located, cutover: { ...located.cutover, ...cutover } },
        source: pair.source,
        target: pair.target,
        fence,
      },
      { signal },
    );
  await run(pair.source, [
    'CREATE VIEW elsewhere.goods AS SELECT * FROM shop.good',
    'CREATE PROCEDURE elsewhere.tidy() DELETE FROM shop.good WHERE FALSE',
    'CREATE PROCEDURE elsewhere.look() SELECT COUNT(*) FROM shop.good',
    'CREATE TRIGGER elsewhere.parents AFTER INSERT ON elsewhere.parent FOR EACH ROW INSERT INTO workshop.t VALUES (1)',
  ]);
  await using web = await openConnection({ ...fence, user: 'web' });
  await web.query('BEGIN');
  await web.query('INSERT INTO shop.good (id) VALUES (4711)');
  const findings = await checked();
  await web.query('ROLLBACK');
  expect(of(findings, 'fence-rehearsal')).toMatchObject([
    {
      severity: 'info',
      found: expect.stringMatching(
        /^accounts to lock now: 1; sessions to end: 1, with open transactions that have changed rows: 1 \(1 rows\); a look .*: \d+ ms$/,
      ) as string,
    },
  ]);
  expect(of(findings, 'fence-kind')).toMatchObject([{ object: 'account-lock' }]);
  expect(of(findings, 'other-schemas')).toMatchObject([{ severity: 'ok' }]);
  expect(of(findings, 'fence')).toMatchObject([
    { severity: 'info', object: 'web@%' },
    { severity: 'warning', object: 'root@%' },
    { severity: 'warning', object: 'elsewhere.goods, elsewhere.tidy' },
    { severity: 'warning', object: 'events shop.tick' },
  ]);
  await run(pair.source, [
    'DROP VIEW elsewhere.goods',
    'DROP PROCEDURE elsewhere.tidy',
    'DROP PROCEDURE elsewhere.look',
    'DROP TRIGGER elsewhere.parents',
  ]);
  const plan = (all: Finding[]) =>
    makePlan(located, emptyCatalog, all, {
      assessments: [],
      inUse: 'built-in',
      changesPerSecond: null,
    });
  expect(plan(findings).cutover).toMatchObject({
    fence: expect.stringContaining('account-lock: every') as string,
    rehearsal: expect.stringContaining('sessions to end: 1') as string,
  });
  // What it would meet is another thing each time, and no other plan.
  const others = findings.filter(({ code }) => code !== 'fence-rehearsal');
  expect(planHash(plan(others))).toBe(planHash(plan(findings)));
  const forgotten = await checked({ applicationAccounts: [{ user: 'poor', host: '%' }] });
  expect(of(forgotten, 'fence')).toContainEqual(
    expect.objectContaining({ severity: 'blocker', object: 'web@%' }),
  );
  const own = await checked({ applicationAccounts: [{ user: 'web', host: '%' }, { user: 'root', host: '%' }] }); // prettier-ignore
  expect(of(own, 'fence')).toContainEqual(
    expect.objectContaining({ severity: 'blocker', object: 'root@%' }),
  );
  const refused = await checked({ fence: 'rds-read-only' });
  expect(of(refused, 'fence')).toContainEqual(expect.objectContaining({ severity: 'blocker' }));
});

test('the binlog must be kept as long as the load may take', async () => {
  await run(pair.source, ['SET GLOBAL binlog_expire_logs_seconds = 360000']);
  try {
    expect(of(await preflight(), 'binlog-retention')).toMatchObject([{ severity: 'ok' }]);
    await withConnection(pair.source, {}, async (connection) => {
      const catalog = await readCatalog(connection, ['shop']);
      const [table] = catalog.tables;
      if (table === undefined) throw new Error('no table');
      const source = await readServerFacts('source', 'root', connection);
      // 7.2 TB are 100 hours at 20 MB/s.
      const large = { ...catalog, tables: [{ ...table, estimatedBytes: 7.2e12 }] };
      expect(
        await retentionCheck.run({
          config,
          catalog: large,
          source,
          target: source,
          fence: undefined,
          consumers: [],
          switches: [],
          signal,
        }),
      ).toMatchObject([
        {
          severity: 'warning',
          found: expect.stringContaining('is 360000 (100 h); needed: 348 h') as string,
          fix: 'SET PERSIST binlog_expire_logs_seconds = 1252800;',
        },
      ]);
    });
  } finally {
    await run(pair.source, ['SET GLOBAL binlog_expire_logs_seconds = 3600']);
  }
});

test('what Aurora keeps longer than RDS can is neither lowered nor called too much', async () => {
  await run(pair.source, [
    "CREATE PROCEDURE mysql.rds_show_configuration() SELECT 'binlog retention hours' AS name, '200' AS value",
    'CREATE PROCEDURE mysql.rds_set_configuration(name text, value int) DO 1',
  ]);
  try {
    await withConnection(pair.source, {}, async (connection) => {
      const catalog = await readCatalog(connection, ['shop']);
      const [table] = catalog.tables;
      if (table === undefined) throw new Error('no table');
      const source = await readServerFacts('source', 'root', connection);
      const aurora = { kind: 'aurora-mysql', region: 'eu-central-1', cluster: 'shop' } as const;
      const findings = async (bytes: number) =>
        await retentionCheck.run({
          config: {
            ...config,
            source: { ...config.source, ...aurora, authentication: 'password' as const },
          },
          catalog: { ...catalog, tables: [{ ...table, estimatedBytes: bytes }] },
          source,
          target: source,
          fence: undefined,
          consumers: [],
          switches: [],
          signal,
        });
      expect(await findings(1e9)).toMatchObject([{ severity: 'ok' }]);
      // 100 hours at 20 MB/s: more than RDS could keep.
      expect(await findings(7.2e12)).toMatchObject([
        {
          severity: 'warning',
          found: 'is 200; needed: 348 h, the load at a cautious rate and 48 h of reserve',
          fix: "CALL mysql.rds_set_configuration('binlog retention hours', 348);",
        },
      ]);
    });
  } finally {
    await run(pair.source, [
      'DROP PROCEDURE mysql.rds_show_configuration',
      'DROP PROCEDURE mysql.rds_set_configuration',
    ]);
  }
});

test('in RDS a retention that may not be read blocks, whatever the variable says', async () => {
  await withConnection(pair.source, {}, async (connection) => {
    const source = await readServerFacts('source', 'root', connection);
    const rds = { kind: 'rds-mysql', region: 'eu-central-1', instance: 'shop' } as const;
    const facts = {
      config: {
        ...config,
        source: { ...config.source, ...rds, authentication: 'password' as const },
      },
      catalog: await readCatalog(connection, ['shop']),
      source,
      target: source,
      fence: undefined,
      consumers: [],
      switches: [],
      signal,
    };
    // The same server, named by its host alone.
    const inRds = (name: string) =>
      name === 'basedir' ? '/rdsdbbin/mysql-8.0.40/' : source.variable(name);
    const byHost = { ...facts, config, source: { ...source, variable: inRds } };
    expect(await retentionCheck.run(byHost)).toMatchObject([{ severity: 'blocker' }]);
    expect(await retentionCheck.run(facts)).toMatchObject([
      {
        severity: 'blocker',
        fix: expect.stringContaining(
          'GRANT EXECUTE ON PROCEDURE mysql.rds_show_configuration',
        ) as string,
      },
    ]);
  });
});

test('a collation is known by either of its names, and refused by its own', async () => {
  await withConnection(pair.target, {}, async (connection) => {
    const target = await readServerFacts('target', 'root', connection);
    const schema = (name: string, collation: string) => ({ name, charset: '', collation });
    const schemas = [schema('old', 'utf8_general_ci'), schema('odd', 'utf8_other_ci')];
    const view: View = {
      name: { schema: 'old', name: 'seen' },
      definer: 'a@%',
      security: 'DEFINER',
      characterSetClient: 'utf8',
      collationConnection: 'utf8mb4_9999_ci',
      createStatement: '',
    };
    const found = await collationsCheck.run({
      config,
      catalog: { ...emptyCatalog, schemas, views: [view] },
      source: target,
      target,
      fence: undefined,
      consumers: [],
      switches: [],
      signal,
    });
    expect(found).toMatchObject([{ severity: 'blocker', object: 'odd' }, { object: 'old.seen' }]);
  });
});

test('binlog_row_metadata is fine either way, and says why', async () => {
  for (const value of ['FULL', 'MINIMAL']) {
    await run(pair.source, [`SET GLOBAL binlog_row_metadata = '${value}'`]);
    expect(of(await preflight(), 'binlog-row-metadata')).toMatchObject([
      { severity: 'ok', found: expect.stringMatching(`^is ${value}; MINIMAL is enough`) as string },
    ]);
  }
});

test('a switch whose endpoint is not as the configuration says is named by its consumer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  try {
    const fileSwitch = async (consumer: string, text: string) => {
      const path = join(folder, consumer);
      await writeFile(path, text);
      const where = { consumer, path, from: 'old:3306', to: 'new:3306' };
      return createFileSwitch({ ...where, allowedDirectories: [folder] });
    };
    const input = { config, source: pair.source, target: pair.target, fence: pair.source };
    const right = await fileSwitch('api', 'DB=old:3306');
    const wrong = await fileSwitch('batch', 'DB=elsewhere:3306');
    const findings = await look({ ...input, switches: [right, wrong] }, { signal });
    expect(of(findings, 'switches')).toMatchObject([{ severity: 'warning', object: 'batch' }]);
    const fine = await look({ ...input, switches: [right] }, { signal });
    expect(of(fine, 'switches')).toMatchObject([{ severity: 'ok' }]);
    expect(of(await preflight(), 'switches')).toMatchObject([{ severity: 'info', object: 'api' }]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an account whose host is not % gets statements for itself, and they give what was missing', async () => {
  await run(pair.source, [
    "CREATE USER narrow@'localhost' IDENTIFIED BY 'p'",
    "GRANT LOCK TABLES ON shop.* TO narrow@'localhost'",
  ]);
  const source: Endpoint = { ...pair.source, user: 'narrow', password: 'p' };
  const looked = async () =>
    of(
      await look({ config, source, target: pair.target, fence: pair.source }, { signal }),
      'source-privileges',
    );
  try {
    const lacks = await looked();
    expect(lacks.map(({ found }) => found)).toEqual([
      'lacks REPLICATION SLAVE, REPLICATION CLIENT',
      expect.stringMatching(/^lacks SHOW_ROUTINE/),
      'lacks SELECT, SHOW VIEW, TRIGGER, EVENT',
    ]);
    // RDS for MySQL lets nobody grant SHOW_ROUTINE: SELECT on everything is as good.
    await run(pair.source, [
      ...lacks.map(({ fix = '' }) => fix.split('(RDS for MySQL): ').at(-1) ?? ''),
      'CREATE PROCEDURE shop.seen() SELECT 1',
    ]);
    expect(await looked()).toMatchObject([{ severity: 'ok' }]);
    const catalog = await withConnection(source, {}, (c) => readCatalog(c, ['shop']));
    expect(catalog.routines.map(({ name }) => name.name)).toEqual(['seen']);
  } finally {
    await run(pair.source, ['DROP PROCEDURE IF EXISTS shop.seen', "DROP USER narrow@'localhost'"]);
  }
});

test('what could not be read is not called well', async () => {
  const unreadable = await preflight({ ...config, schemas: ['shop', 'nowhere'] });
  expect(of(unreadable, 'catalog')).toMatchObject([{ severity: 'blocker' }]);
  const seen = unreadable.filter(({ code }) => code !== 'connectivity');
  expect(seen.filter(({ severity }) => severity === 'ok' || severity === 'info')).toEqual([]);
  const fenceless = { config, source: pair.source, target: pair.target };
  const [kind] = of(await look(fenceless, { signal }), 'fence-kind');
  expect(kind).toMatchObject({ severity: 'info', found: expect.stringMatching(/^none/) as string });
});

test('GTIDs are turned on by the statements of the fix, as they stand', async () => {
  await run(pair.source, [
    "SET GLOBAL gtid_mode = 'ON_PERMISSIVE'",
    "SET GLOBAL gtid_mode = 'OFF_PERMISSIVE'",
    "SET GLOBAL gtid_mode = 'OFF'",
    "SET GLOBAL enforce_gtid_consistency = 'OFF'",
  ]);
  const found = of(await preflight(), 'binlog-settings').filter(({ object }) =>
    /gtid/.test(object ?? ''),
  );
  await run(
    pair.source,
    found.flatMap(({ fix = '' }) => fix.match(/SET PERSIST [^;]+/g) ?? []),
  );
  const now = of(await preflight(), 'binlog-settings').map(({ object }) => object);
  expect(now.filter((object) => object?.includes('gtid') === true)).toEqual([]);
  expect(found).toHaveLength(2);
});

test('a schema that the binlog leaves out would be lost without a word', async () => {
  const findings = await preflight({ ...config, schemas: ['shop', 'unlogged'] });
  expect(of(findings, 'binlog-filters')).toContainEqual(
    expect.objectContaining({
      severity: 'blocker',
      object: 'source binlog-ignore-db',
      found: 'keeps the changes of unlogged out of the binlog',
    }),
  );
  expect(of(await preflight(), 'binlog-filters')).toContainEqual(
    expect.objectContaining({ severity: 'warning', object: 'source binlog-ignore-db' }),
  );
});

test('a source that replicates from elsewhere is warned of: no fence stops that', async () => {
  await run(pair.source, [
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'primary', SOURCE_PORT = 3307",
    'START REPLICA SQL_THREAD',
  ]);
  const warned = async () =>
    of(await preflight(), 'fence').filter(
      ({ object }) => object?.includes('primary:3307') === true,
    );
  try {
    expect(await warned()).toMatchObject([{ severity: 'warning' }]);
    await withConnection(pair.source, {}, async (connection) => {
      const source = await readServerFacts('source', 'root', connection);
      const unlogged = {
        ...source,
        variable: (name: string) =>
          name === 'log_replica_updates' ? 'OFF' : source.variable(name),
      };
      const side = { config, catalog: emptyCatalog, source: unlogged, target: source };
      const found = await fenceCheck.run({ ...side, fence: source, switches: [], signal });
      expect(found).toContainEqual(
        expect.objectContaining({
          severity: 'blocker',
          found: expect.stringContaining('would be lost') as string,
        }),
      );
    });
    await run(pair.source, ['STOP REPLICA']);
    expect(await warned()).toEqual([]);
  } finally {
    await run(pair.source, ['STOP REPLICA', 'RESET REPLICA ALL']);
  }
});

test('schemas are known by their names, however InnoDB spells those of their files', async () => {
  await run(pair.source, [
    'CREATE DATABASE `my-db`',
    'CREATE TABLE `my-db`.t (id int PRIMARY KEY)',
    'CREATE DATABASE `café`',
    'CREATE TABLE `café`.t (id int PRIMARY KEY)',
    'CREATE DATABASE `my.db`',
    'CREATE TABLE `my.db`.t (id int PRIMARY KEY)',
  ]);
  try {
    const [found] = of(await preflight({ ...config, schemas: ['my-db', 'café'] }), 'other-schemas');
    expect(found?.object?.split(', ').sort()).toEqual(['elsewhere', 'my.db', 'shop']);
  } finally {
    await run(pair.source, ['DROP DATABASE `my-db`', 'DROP DATABASE `café`', 'DROP DATABASE `my.db`']); // prettier-ignore
  }
});

test('programs that are on the target already are somebody’s, as tables are', async () => {
  await run(pair.target, [
    'CREATE DATABASE IF NOT EXISTS shop',
    'CREATE PROCEDURE shop.theirs() SELECT 1',
    'CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO DO 1',
  ]);
  try {
    const [found] = of(await preflight(), 'target-empty');
    expect(found?.severity).toBe('blocker');
    expect(found?.object).toContain('shop.theirs, shop.nightly');
  } finally {
    await run(pair.target, ['DROP PROCEDURE shop.theirs', 'DROP EVENT shop.nightly']);
  }
});

test('a name that is taken makes nothing on the target ours: that begins with the starting position', async () => {
  const { target } = pair;
  await run(target, ['CREATE TABLE shop.theirs (id int PRIMARY KEY)']);
  const looked = async () => of(await preflight(), 'target-empty').map(({ severity }) => severity);
  try {
    await withConnection(target, {}, (c) =>
      createCheckpoint(c, { name: 'shop', configHash: 'c', workflowRun: 'w', sourceUuid: 'u' }),
    );
    expect(await looked()).toEqual(['blocker']);
    await withConnection(target, {}, (c) =>
      setStartPosition(c, 'shop', { gtidSet: '', file: 'b.000001', offset: 4 }),
    );
    expect(await looked()).toEqual(['ok']);
  } finally {
    await run(target, ['DROP TABLE shop.theirs', 'DROP DATABASE skyferry']);
  }
});

test('schemas without tables have nothing to compare', async () => {
  await run(pair.source, ['CREATE DATABASE hollow']);
  const looked = async (...schemas: string[]) =>
    of(await preflight({ ...config, schemas }), 'schemas').map(({ severity }) => severity);
  expect(await looked('hollow')).toEqual(['blocker']);
  expect(await looked('hollow', 'shop')).toEqual(['info']);
  expect(await looked('shop')).toEqual(['ok']);
});

test('sessions do not depend on how the servers read quotes and backslashes', async () => {
  const modes = "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'";
  await run(pair.source, [modes, "CREATE USER plain@'%' IDENTIFIED BY 'p'", "GRANT SELECT ON shop.* TO plain@'%'"]); // prettier-ignore
  const source: Endpoint = { ...pair.source, user: 'plain', password: 'p' };
  try {
    const findings = await look(
      { config, source, target: pair.target, fence: pair.source },
      { signal },
    );
    expect(of(findings, 'source-privileges')).toContainEqual(
      expect.objectContaining({ found: 'lacks SHOW VIEW, TRIGGER, EVENT' }),
    );
    const values = [`it's`, 'back\\slash', '{"a":"b"}'];
    await withConnection(source, {}, async (connection) => {
      const [row] = await connection.query('SELECT ? AS a, ? AS b, ? AS c', values);
      expect(Object.values(row ?? {})).toEqual(values);
    });
  } finally {
    await run(pair.source, ['SET GLOBAL sql_mode = DEFAULT', "DROP USER plain@'%'"]);
  }
});

function preflight(wanted: LocatedConfig = config): Promise<Finding[]> {
  return look(
    { config: wanted, source: pair.source, target: pair.target, fence: pair.source },
    { signal },
  );
}

async function run(endpoint: Endpoint, statements: string[]): Promise<void> {
  await withConnection(endpoint, {}, async (connection) => {
    for (const statement of statements) await connection.execute(statement);
  });
}

const of = (findings: Finding[], code: string) =>
  findings.filter((finding) => finding.code === code);
const codes = (findings: Finding[], severity: string) => [
  ...new Set(findings.filter((f) => f.severity === severity).map(({ code }) => code)),
];

/** For the engine that the configuration names. */
async function look(
  input: Omit<PreflightInput, 'engine'>,
  options: { readonly signal: AbortSignal },
): Promise<Finding[]> {
  const { findings } = await runPreflight({ ...input, engine: input.config.engine }, options);
  return [...findings];
}

test('a SET that no number tells apart may be no key', async () => {
  const set = (members: number) =>
    `SET(${Array.from({ length: members }, (_, i) => `'m${i}'`).join()})`;
  await run(pair.source, [
    'CREATE DATABASE sets',
    `CREATE TABLE sets.told (s ${set(53)} PRIMARY KEY, other ${set(64)})`,
    `CREATE TABLE sets.untold (s ${set(54)} PRIMARY KEY)`,
  ]);
  const [catalog, facts] = await withConnection(pair.source, {}, async (c) => [
    await readCatalog(c, ['sets']),
    await readServerFacts('source', pair.source.user, c),
  ]);
  const found = await columnsCheck.run({
    config,
    catalog,
    source: facts,
    target: facts,
    fence: undefined,
    switches: [],
    signal,
  });
  expect(found).toMatchObject([{ severity: 'blocker', object: 'sets.untold.s' }]);
});
