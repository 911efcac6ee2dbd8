import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CutoverJob } from '../../../src/cutover/cutover.ts';
import { cutOver, settleCutover } from '../../../src/cutover/cutover.ts';
import { createFence } from '../../../src/cutover/fence/create-fence.ts';
import type { Fence } from '../../../src/cutover/fence/fence.ts';
import { createFileSwitch } from '../../../src/cutover/switches/file.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { readExecuted } from '../../../src/mysql/watermark.ts';
import { applyChanges } from '../../../src/replicate/apply-changes.ts';
import { beginMigration, catchUp, LCTN } from '../../replicate/lab.ts';
import { startMysqlPair } from '../../servers.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let source: Connection;
let target: Connection;
let folder: string;
let file: string;
let job: CutoverJob;
const applying = new AbortController();
let applied: Promise<unknown>;

beforeAll(async () => {
  servers = await startMysqlPair({
    sourceFlags: ['--event-scheduler=OFF'],
    targetFlags: ['--event-scheduler=OFF'],
    targetLowerCaseTableNames: LCTN,
  });
  source = await openConnection(servers.source);
  target = await openConnection(servers.target);
  folder = await mkdtemp(join(tmpdir(), 'skyferry-cutover-'));
  file = join(folder, 'app.env');
  await writeFile(file, 'DB=old:3306\n');
  await target.query("CREATE USER app@'%' IDENTIFIED BY 'secret'");
  await target.query("GRANT ALL ON shop.* TO app@'%'");
  for (const sql of [
    'CREATE DATABASE other',
    'CREATE TABLE other.t (id int PRIMARY KEY AUTO_INCREMENT)',
    'CREATE PROCEDURE other.sneak() SQL SECURITY DEFINER INSERT INTO Shop.Item (v) VALUES (-1)',
    'CREATE PROCEDURE mysql.rds_kill(IN thread BIGINT) READS SQL DATA SQL SECURITY DEFINER KILL thread',
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT SELECT, INSERT ON Shop.* TO app@'%'",
    "CREATE USER neighbour@'%' IDENTIFIED BY 'secret'",
    "GRANT INSERT, EXECUTE ON other.* TO neighbour@'%'",
    "CREATE USER fence@'%' IDENTIFIED BY 'secret'",
    "GRANT CREATE USER, PROCESS, XA_RECOVER_ADMIN ON *.* TO fence@'%'",
    "GRANT SELECT ON mysql.* TO fence@'%'",
    "GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO fence@'%'",
  ])
    await source.query(sql);
  const migration = await beginMigration(
    servers,
    'move',
    ['Shop'],
    ['CREATE TABLE Item (id int PRIMARY KEY AUTO_INCREMENT, v int)'],
  );
  await catchUp(migration);
  const fenceAccount = account('fence');
  const context = {
    account: fenceAccount,
    source: servers.source,
    schemas: ['Shop'],
    applicationAccounts: [{ user: 'app', host: '%', login: account('app') }],
  };
  job = {
    ...migration.job,
    fence: createFence('account-lock', context),
    fenceOf: (kind) => createFence(kind, { ...context, applicationAccounts: [] }),
    fenceAccount,
    verifiedAt: await readExecuted(source),
    consumers: [
      {
        switch: createFileSwitch({
          consumer: 'app',
          path: file,
          from: 'old:3306',
          to: 'new:3306',
          allowedDirectories: [folder],
        }),
        account: { ...servers.target, user: 'app', password: 'secret' },
      },
    ],
    downtimeBudgetMs: 30_000,
    parallel: 2,
    mayProceed: async () => {},
  };
  applied = applyChanges(migration.job, {
    signal: applying.signal,
    onProgress: () => {},
  }).catch(() => {});
});

afterAll(async () => {
  applying.abort();
  await applied;
  await source.close();
  await target.close();
  await servers.stop();
  await rm(folder, { recursive: true });
});

function account(user: string): Endpoint {
  return { ...servers.source, user, password: 'secret' };
}

const options = (onStep: (step: string) => unknown = () => {}) => ({
  signal: AbortSignal.timeout(60_000),
  onStep,
});

/** Until it is stopped; counts what was acknowledged, and goes on over everything that fails. */
function writing(endpoint: Endpoint, sql: string) {
  const stop = new AbortController();
  const writer = { acknowledged: 0, stop: async () => (stop.abort(), await done) };
  const done = (async () => {
    while (!stop.signal.aborted) {
      await withConnection(endpoint, {}, async (connection) => {
        while (!stop.signal.aborted) {
          await connection.query(sql);
          writer.acknowledged++;
          await sleep(1);
        }
      }).catch(() => sleep(20));
    }
  })();
  return writer;
}

async function isLocked(user: string): Promise<boolean> {
  const rows = await source.query(
    'SELECT 1 FROM mysql.user WHERE User = ? AND account_locked = ?',
    [user, 'Y'],
  );
  return rows.length === 1;
}

test('somebody who writes by the rights of another is found out behind the fence, which is lowered', async () => {
  const sneaking = writing(account('neighbour'), 'CALL other.sneak()');
  const run = cutOver(job, options());
  await expect(run).rejects.toMatchObject({
    code: 'NOT_QUIESCENT',
    message: expect.stringContaining('rows of Shop.Item') as string,
  });
  await sneaking.stop();
  expect(await isLocked('app')).toBe(false);
  expect(await readFile(file, 'utf8')).toBe('DB=old:3306\n');
});

test('one that begins only later is found before the first switch', async () => {
  const run = cutOver(
    job,
    options(async (step) => {
      if (step !== 'begin to switch') return;
      await withConnection(account('neighbour'), {}, (c) => c.query('CALL other.sneak()'));
    }),
  );
  await expect(run).rejects.toMatchObject({ code: 'NOT_QUIESCENT' });
  expect(await isLocked('app')).toBe(false);
  await sleep(500);
});

test('overtaken on its way to the fence, it takes back what it did there', async () => {
  let events = 'ON';
  const withEvents = (fence: Fence): Fence => ({
    kind: fence.kind,
    stops: fence.stops,
    describe: () => fence.describe(),
    read: async (signal) => await fence.read(signal),
    approach: async () => {
      // Whoever thinks that this attempt is dead puts everything back, and only then its order arrives.
      await settleCutover(overtaken, { signal: AbortSignal.timeout(60_000) });
      events = 'OFF';
    },
    raise: async (former, within) => await fence.raise(former, within),
    isRaised: async (signal) => await fence.isRaised(signal),
    prove: async (signal) => await fence.prove(signal),
    lower: async (former) => {
      await fence.lower(former);
      events = 'ON';
    },
    unfenceCommand: (former) => fence.unfenceCommand(former),
  });
  const overtaken: CutoverJob = {
    ...job,
    fence: withEvents(job.fence),
    fenceOf: (kind) => withEvents(job.fenceOf(kind)),
  };
  await expect(cutOver(overtaken, options())).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  expect(events).toBe('ON');
  expect(await isLocked('app')).toBe(false);
});

test('killed behind the fence it is unlocked by who comes next', async () => {
  let reached: () => void = () => {};
  const there = new Promise<void>((resolve) => (reached = resolve));
  let wake: () => void = () => {};
  const awake = new Promise<void>((resolve) => (wake = resolve));
  const run = cutOver(
    job,
    options(async (step) => {
      if (step !== 'drain') return;
      reached();
      await awake;
    }),
  ).catch((error: unknown) => error);
  await there;
  expect(await isLocked('app')).toBe(true);
  expect(await settleCutover(job, options())).toEqual({ switched: false });
  expect(await isLocked('app')).toBe(false);
  wake();
  expect(await run).toMatchObject({ code: 'EPOCH_LOST' });
  expect(await isLocked('app')).toBe(false);
});

test('the consumer moves under live writers, and another schema takes writes all the while', async () => {
  const applications = [1, 2, 3].map(() =>
    writing(account('app'), 'INSERT INTO Shop.Item (v) VALUES (1)'),
  );
  const neighbour = writing(account('neighbour'), 'INSERT INTO other.t VALUES ()');
  await sleep(500);
  const [before] = await source.query<{ n: string }>('SELECT COUNT(*) AS n FROM Shop.Item');
  const atSteps: Record<string, number> = {};
  const result = await cutOver(
    job,
    options(async (step) => {
      atSteps[step] = neighbour.acknowledged;
      // Behind the last look: it cannot be undone any more, but must be told.
      if (step === 'probe app')
        await withConnection(account('neighbour'), {}, (c) => c.query('CALL other.sneak()'));
    }),
  );
  expect(result.warnings).toEqual([expect.stringContaining('rows of Shop.Item') as string]);
  await sleep(300);
  for (const { stop } of [...applications, neighbour]) await stop();
  expect(atSteps['begin to switch']).toBeGreaterThan(atSteps['raise fence'] ?? 0);
  const [there] = await source.query<{ n: string }>('SELECT COUNT(*) AS n FROM Shop.Item');
  const acknowledged = applications.reduce((sum, writer) => sum + writer.acknowledged, 0);
  expect(acknowledged).toBeGreaterThan(0);
  expect(Number(there?.n)).toBeGreaterThanOrEqual(Number(before?.n));
  expect(await target.query('SELECT * FROM shop.item ORDER BY id')).toEqual(
    await source.query(
      'SELECT * FROM Shop.Item WHERE id < (SELECT MAX(id) FROM Shop.Item) ORDER BY id',
    ),
  );
  expect(await isLocked('app')).toBe(true);
  expect(await isLocked('neighbour')).toBe(false);
  expect(await readFile(file, 'utf8')).toBe('DB=new:3306\n');
  expect(result.evidence).toMatchObject({
    fence: {
      kind: 'account-lock',
      accounts: [{ account: 'app@%', by: 'a login that was refused (3118)' }],
    },
    quiescence: { fence: 'account-lock' },
  });
  expect(result.unfenceCommand).toBe('ALTER USER IF EXISTS `app`@`%` ACCOUNT UNLOCK;');
  await source.query((result.unfenceCommand ?? '').replace(/;$/, ''));
  expect(await isLocked('app')).toBe(false);
});
