import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AuroraReadOnlyFence } from '../../../src/cutover/fence/aurora-read-only.ts';
import type { FenceContext } from '../../../src/cutover/fence/fence.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { openConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
let root: Connection;
let context: FenceContext;
const signal = AbortSignal.timeout(120_000);

beforeAll(async () => {
  server = await startMysql();
  root = await openConnection(server.endpoint);
  for (const sql of [
    'CREATE DATABASE app',
    'CREATE TABLE app.t (id int PRIMARY KEY AUTO_INCREMENT)',
    'CREATE PROCEDURE mysql.rds_set_read_only(IN mode TINYINT) MODIFIES SQL DATA SQL SECURITY DEFINER SET GLOBAL read_only = mode',
    "CREATE USER admin@'%' IDENTIFIED BY 'secret'",
    "GRANT SELECT, INSERT, PROCESS, EXECUTE, CREATE USER, CONNECTION_ADMIN, XA_RECOVER_ADMIN ON *.* TO admin@'%'",
    "CREATE USER app@'%' IDENTIFIED BY 'secret'",
    "GRANT INSERT ON app.* TO app@'%'",
    "CREATE USER dba@'%' IDENTIFIED BY 'secret'",
    "GRANT INSERT ON app.* TO dba@'%'",
    "GRANT CONNECTION_ADMIN ON *.* TO dba@'%'",
  ])
    await root.query(sql);
  const account = login('admin');
  context = {
    account,
    source: server.endpoint,
    schemas: ['app'],
    applicationAccounts: [{ user: 'app', host: '%', login: login('app') }],
  };
});

afterAll(async () => {
  await root.close();
  await server.stop();
});

function login(user: string): Endpoint {
  return { ...server.endpoint, user, password: 'secret' };
}

test('stops applications, and holds only while nobody whom it does not stop is logged in', async () => {
  const fence = new AuroraReadOnlyFence(context);
  const former = await fence.read(signal);
  expect(former).toEqual({ kind: 'aurora-read-only' });
  await expect(fence.prove(signal)).rejects.toMatchObject({ code: 'NOT_QUIESCENT' });
  await fence.raise(former, { lockWaitMs: 5000, signal });
  expect((await fence.prove(signal)).accounts).toEqual([
    { account: 'app@%', by: 'a write that was refused (1290)' },
    { account: 'dba@%', by: 'no session: read_only does not stop it' },
  ]);
  const dba = await openConnection(login('dba'));
  expect(await fence.isRaised(signal)).toBe(false);
  await expect(fence.prove(signal)).rejects.toMatchObject({
    message: expect.stringContaining('dba') as string,
  });
  await dba.close();
  while (!(await fence.isRaised(signal))) await sleep(20);
  expect((await fence.read(signal)).foreign).toBeDefined();
  await new AuroraReadOnlyFence(context).lower(former);
  await new AuroraReadOnlyFence(context).lower(former);
  expect(await fence.isRaised(signal)).toBe(false);
});

test('is refused where a program of somebody whom it does not stop would write on', async () => {
  await root.query("CREATE DEFINER=dba@'%' PROCEDURE app.free() INSERT INTO app.t VALUES ()");
  const { foreign } = await new AuroraReadOnlyFence(context).read(signal);
  expect(foreign?.found).toContain('app.free');
  await root.query('DROP PROCEDURE app.free');
});

test('a call that an aborted worker left waiting does not raise it later', async () => {
  const fence = new AuroraReadOnlyFence(context);
  const former = await fence.read(signal);
  const locker = await openConnection(server.endpoint);
  await locker.query('LOCK TABLES app.t WRITE');
  const abort = new AbortController();
  const raised = fence.raise(former, { lockWaitMs: 20_000, signal: abort.signal });
  await sleep(500);
  abort.abort(new Error('worker stops'));
  await expect(raised).rejects.toThrow('worker stops');
  const lowered = new AuroraReadOnlyFence(context).lower(former);
  await sleep(300);
  await locker.query('UNLOCK TABLES');
  await lowered;
  await locker.close();
  await sleep(300);
  expect(await fence.read(signal)).toEqual(former);
});
