import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AccountLockState } from '../../../src/cutover/fence/account-lock.ts';
import { AccountLockFence } from '../../../src/cutover/fence/account-lock.ts';
import { readCapabilities } from '../../../src/cutover/fence/capabilities.ts';
import type { FenceContext } from '../../../src/cutover/fence/fence.ts';
import { isFailure } from '../../../src/failures.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { quoteIdentifier } from '../../../src/mysql/identifier.ts';
import { Grants } from '../../../src/mysql/grants.ts';
import { FaultProxy } from '../../fault-proxy.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
/** The migration's own account here, and so none of those that are stopped. */
let root: Connection;
let context: FenceContext;
let fence: AccountLockFence;
let app: Endpoint;
let batch: Endpoint;

const signal = AbortSignal.timeout(300_000);
const within = { lockWaitMs: 10_000, signal };
/** As RDS's master user ends sessions that are not its own. */
const rdsKill = `CREATE PROCEDURE mysql.rds_kill(IN thread BIGINT) READS SQL DATA SQL SECURITY DEFINER KILL thread`;

beforeAll(async () => {
  server = await startMysql(['--event-scheduler=OFF']);
  root = await openConnection(server.endpoint);
  for (const sql of [
    'CREATE DATABASE app',
    'CREATE DATABASE other',
    'CREATE TABLE app.t (id int PRIMARY KEY AUTO_INCREMENT, v int)',
    'CREATE TABLE other.t (id int PRIMARY KEY AUTO_INCREMENT, v int)',
    'CREATE PROCEDURE app.add_one() SQL SECURITY DEFINER INSERT INTO app.t (v) VALUES (1)',
    rdsKill,
  ])
    await root.query(sql);
  const account = async (user: string, ...grants: string[]): Promise<Endpoint> => {
    const name = `${quoteIdentifier(user)}@'%'`;
    await root.query(`CREATE USER ${name} IDENTIFIED BY 'secret'`);
    for (const grant of grants) await root.query(`GRANT ${grant} TO ${name}`);
    return { ...server.endpoint, user, password: 'secret' };
  };
  app = await account('app', 'SELECT, INSERT, UPDATE, DELETE ON app.*', 'INSERT ON other.*');
  await root.query('CREATE ROLE writes');
  await root.query('GRANT INSERT ON app.t TO writes');
  batch = await account("odd'`name", 'writes');
  await account('caller', 'EXECUTE ON PROCEDURE app.add_one');
  await account('was_locked', 'DELETE ON app.*');
  await root.query("ALTER USER was_locked@'%' ACCOUNT LOCK");
  await account('reader', 'SELECT ON *.*');
  await account('elsewhere', 'INSERT, SELECT ON other.*');
  const fenceAccount = await account(
    'fence',
    'CREATE USER, PROCESS, XA_RECOVER_ADMIN ON *.*',
    'SELECT ON mysql.*',
    'EXECUTE ON PROCEDURE mysql.rds_kill',
  );
  context = {
    account: fenceAccount,
    source: server.endpoint,
    schemas: ['app'],
    applicationAccounts: [],
  };
  fence = new AccountLockFence(context);
});

afterEach(async () => {
  await root.query("ALTER USER app@'%', caller@'%', `odd'``name`@'%' ACCOUNT UNLOCK");
  await root.query("ALTER USER was_locked@'%' ACCOUNT LOCK");
});

afterAll(async () => {
  await root.close();
  await server.stop();
});

async function lockedUsers(): Promise<string[]> {
  const rows = await root.query<{ u: string }>(
    "SELECT User AS u FROM mysql.user WHERE account_locked = 'Y' AND User NOT LIKE 'mysql.%' AND User <> 'writes' ORDER BY 1",
  );
  return rows.map(({ u }) => u);
}

async function outcome(run: Promise<unknown>): Promise<number | string> {
  return await run.then(
    () => 'done',
    (error: unknown) =>
      isFailure(error) ? (error.detail.errno ?? error.code) : `unexpected: ${String(error)}`,
  );
}

const all = ['app', 'caller', "odd'`name", 'was_locked'];

describe('the fence by locked accounts', () => {
  it('needs no more than the rights that the documentation names', async () => {
    const capabilities = await withConnection(context.account, {}, async (c) =>
      readCapabilities(c, await Grants.read(c), 'fence'),
    );
    expect(capabilities.accountLock).toEqual([]);
    expect(capabilities.superReadOnly).not.toEqual([]);
  });

  it('stops writers of several accounts, open transactions included, and nobody else', async () => {
    await using reader = await openConnection({ ...app, user: 'reader' });
    await using elsewhere = await openConnection({ ...app, user: 'elsewhere' });
    await using idle = await openConnection({ ...app, user: 'caller' });
    await using open = await openConnection(app);
    await open.query('BEGIN');
    await open.query('INSERT INTO app.t (v) VALUES (4711)');
    const stop = new AbortController();
    let acknowledged = 0;
    const writers = [app, app, batch, batch].map(async (endpoint) => {
      while (!stop.signal.aborted) {
        await withConnection(endpoint, {}, async (connection) => {
          await connection.query('SET ROLE ALL');
          for (;;) {
            await connection.query('INSERT INTO app.t (v) VALUES (1)');
            acknowledged++;
          }
        }).catch(() => sleep(5));
      }
    });
    await sleep(300);
    const former = await fence.read(signal);
    expect(former.foreign).toBeUndefined();
    expect(former.accounts.map(({ user, locked }) => [user, locked])).toEqual(
      expect.arrayContaining([
        ['app', false],
        ['caller', false],
        ["odd'`name", false],
        ['was_locked', true],
      ]),
    );
    await fence.raise(former, within);
    const before = acknowledged;
    expect(before).toBeGreaterThan(0);
    expect(await fence.isRaised(signal)).toBe(true);
    const count = await root.query('SELECT COUNT(*) AS n, SUM(v = 4711) AS open FROM app.t');
    expect(await outcome(withConnection(app, {}, async () => {}))).toBe(3118);
    expect(await outcome(open.query('COMMIT'))).toBe('CONNECTION_LOST');
    expect(await outcome(idle.query('SELECT 1'))).toBe('CONNECTION_LOST');
    await reader.query('SELECT * FROM app.t LIMIT 1');
    await elsewhere.query('INSERT INTO other.t (v) VALUES (1)');
    await sleep(300);
    expect(acknowledged).toBe(before);
    expect(await root.query('SELECT COUNT(*) AS n, SUM(v = 4711) AS open FROM app.t')).toEqual(
      count,
    );
    // One that was ended between its commit and the answer counts on the server alone.
    expect(Number(count[0]?.['n'])).toBeGreaterThanOrEqual(acknowledged);
    expect(count[0]?.['open']).toBe('0');
    await fence.lower(former);
    await sleep(300);
    expect(acknowledged).toBeGreaterThan(before);
    stop.abort();
    await root.query("ALTER USER app@'%', `odd'``name`@'%' ACCOUNT LOCK");
    for (const { Id } of await root.query<{ Id: string; User: string }>(
      "SELECT ID AS Id FROM information_schema.processlist WHERE USER IN ('app', 'odd''`name')",
    ))
      await root.query(`KILL ${Id}`).catch(() => {});
    await Promise.all(writers);
  });

  it('holds while applications go on trying to log in', async () => {
    const former = await fence.read(signal);
    await fence.raise(former, within);
    const stop = new AbortController();
    const refused = new Set<number | string>();
    const trying = Array.from({ length: 6 }, async () => {
      while (!stop.signal.aborted)
        refused.add(await outcome(withConnection(app, {}, async () => {})));
    });
    const held: boolean[] = [];
    for (let look = 0; look < 25; look++) held.push(await fence.isRaised(signal));
    const again = await fence.raise(former, within);
    stop.abort();
    await Promise.all(trying);
    expect(again).toBeUndefined();
    expect([...refused]).toEqual([3118]);
    expect(held.filter((one) => !one)).toEqual([]);
    await fence.lower(former);
  });

  it('ends a session that is within a program of another account', async () => {
    await root.query(
      'CREATE PROCEDURE app.slow() SQL SECURITY DEFINER BEGIN DO SLEEP(30); INSERT INTO app.t (v) VALUES (815); END',
    );
    await root.query("GRANT EXECUTE ON PROCEDURE app.slow TO caller@'%'");
    await using caller = await openConnection({ ...app, user: 'caller' });
    const called = outcome(caller.query('CALL app.slow()'));
    await sleep(300);
    const former = await fence.read(signal);
    expect(former.foreign).toBeUndefined();
    await fence.raise(former, within);
    expect(await called).toBe('CONNECTION_LOST');
    await fence.lower(former);
    await root.query('DROP PROCEDURE app.slow');
  });

  it('puts back exactly what was, accounts that were locked and one that was dropped included', async () => {
    const former = await fence.read(signal);
    await fence.raise(former, within);
    await fence.raise(former, within);
    expect(await lockedUsers()).toEqual(all);
    await fence.lower(former);
    await fence.lower(former);
    expect(await lockedUsers()).toEqual(['was_locked']);
    await fence.raise(former, within);
    await root.query("CREATE USER gone@'%'");
    await root.query(fence.unfenceCommand(former).replace(/;$/, ''));
    expect(await lockedUsers()).toEqual(['was_locked']);
    const more: AccountLockState = {
      ...former,
      accounts: [...former.accounts, { user: 'gone', host: '%', locked: false }],
    };
    await fence.raise(more, within);
    await root.query("DROP USER gone@'%'");
    // What somebody else unlocked was none of this fence's.
    await root.query("ALTER USER was_locked@'%' ACCOUNT UNLOCK");
    await fence.lower(more);
    expect(await lockedUsers()).toEqual([]);
  });

  it('proves it by refused logins, and names accounts whose secret is not known', async () => {
    const proving = new AccountLockFence({
      ...context,
      applicationAccounts: [
        { user: 'app', host: '%', login: app },
        { user: "odd'`name", host: '%', login: null },
        { user: 'caller', host: '%', login: null },
        { user: 'was_locked', host: '%', login: null },
      ],
    });
    const former = await proving.read(signal);
    await expect(proving.prove(signal)).rejects.toMatchObject({ code: 'NOT_QUIESCENT' });
    await proving.raise(former, within);
    const { accounts } = await proving.prove(signal);
    const by = Object.fromEntries(accounts.map((proved) => [proved.account, proved.by]));
    expect(by).toMatchObject({
      'app@%': 'a login that was refused (3118)',
      'caller@%': 'its lock; its secret is not known',
    });
    await root.query("ALTER USER app@'%' ACCOUNT UNLOCK");
    expect(await proving.isRaised(signal)).toBe(false);
    await proving.lower(former);
  });

  it('does not hold while an account that may write was forgotten, or is new', async () => {
    const forgetful = new AccountLockFence({
      ...context,
      applicationAccounts: [{ user: 'app', host: '%', login: app }],
    });
    const former = await forgetful.read(signal);
    expect(former.foreign?.found).toContain("caller@%, odd'`name@%");
    await forgetful.raise(former, within);
    await expect(forgetful.prove(signal)).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
      message: expect.stringContaining("caller@%, odd'`name@%") as string,
    });
    await forgetful.lower(former);
    await fence.raise(await fence.read(signal), within);
    expect(await fence.isRaised(signal)).toBe(true);
    await root.query("CREATE USER late@'%' IDENTIFIED BY 'secret'");
    await root.query("GRANT UPDATE ON app.t TO late@'%'");
    expect(await fence.isRaised(signal)).toBe(false);
    await root.query("DROP USER late@'%'");
  });

  it('is refused where events run, who writes as an administrator is there, or nobody is to be locked', async () => {
    await root.query('CREATE EVENT app.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM app.t WHERE FALSE');
    await root.query('SET GLOBAL event_scheduler = ON');
    expect((await fence.read(signal)).foreign?.found).toContain('app.e');
    await root.query('SET GLOBAL event_scheduler = OFF');
    expect((await fence.read(signal)).foreign).toBeUndefined();
    await root.query('DROP EVENT app.e');

    await root.query("CREATE USER dba@'%' IDENTIFIED BY 'secret'");
    await root.query("GRANT INSERT, CREATE USER ON *.* TO dba@'%'");
    const dba = await openConnection({ ...app, user: 'dba' });
    expect((await fence.read(signal)).foreign?.found).toContain('dba');
    await dba.close();
    const former = await fence.read(signal);
    expect(former.foreign).toBeUndefined();
    await fence.raise(former, within);
    expect(await lockedUsers()).toEqual(all);
    expect(await fence.isRaised(signal)).toBe(true);
    expect((await fence.read(signal)).foreign?.found).toContain('not locked already');
    await using again = await openConnection({ ...app, user: 'dba' });
    await again.query('SELECT 1');
    expect(await fence.isRaised(signal)).toBe(false);
    await fence.lower(former);
    await root.query("DROP USER dba@'%'");
  });

  it('says that sessions cannot be ended where neither KILL nor rds_kill may do it', async () => {
    await root.query('REVOKE EXECUTE ON PROCEDURE mysql.rds_kill FROM fence');
    await using session = await openConnection(app);
    const former = await fence.read(signal);
    await expect(fence.raise(former, within)).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
      message: expect.stringContaining('cannot be ended') as string,
    });
    await fence.lower(former);
    await session.query('SELECT 1');
    await root.query("GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO fence@'%'");
  });

  it('leaves no lock behind that arrives after it was lowered', async () => {
    await using locker = await openConnection(server.endpoint);
    await locker.query('FLUSH TABLES WITH READ LOCK');
    const former = await fence.read(signal);
    const abort = new AbortController();
    const raised = fence.raise(former, { lockWaitMs: 20_000, signal: abort.signal });
    await sleep(500);
    abort.abort(new Error('worker stops'));
    await expect(raised).rejects.toThrow('worker stops');
    const lowered = new AccountLockFence(context).lower(former);
    await sleep(500);
    await locker.query('UNLOCK TABLES');
    await lowered;
    await sleep(300);
    expect(await lockedUsers()).toEqual(['was_locked']);
  });

  it('is lowered by another process wherever raising and lowering were cut off', async () => {
    const proxy = await FaultProxy.open(server.endpoint.port);
    const plain: Endpoint = { ...context.account, tls: { mode: 'disabled' } };
    // Without TLS the login needs what is cached by one over TLS.
    await withConnection(context.account, {}, async () => {});
    const cut = new AccountLockFence({ ...context, account: proxy.endpoint(plain) });
    const former = await fence.read(signal);
    let pieces = 0;
    const countPieces = async (run: () => Promise<unknown>): Promise<number> => {
      pieces = 0;
      proxy.fault = ({ direction }) => {
        if (direction === 'to-server') pieces++;
        return 'pass';
      };
      await run();
      return pieces;
    };
    const cutAfter = (limit: number, where: 'to-server' | 'to-client') => {
      let seen = 0;
      proxy.fault = ({ direction }) => (direction === where && ++seen > limit ? 'reset' : 'pass');
    };
    const short = () => ({ lockWaitMs: 400, signal });
    const raises = await countPieces(() => cut.raise(former, short()));
    const lowers = await countPieces(() => cut.lower(former));
    expect(raises).toBeGreaterThan(2);
    for (const where of ['to-server', 'to-client'] as const) {
      for (let limit = 0; limit < raises; limit++) {
        await using victim = await openConnection(app);
        cutAfter(limit, where);
        await cut.raise(former, short()).catch(() => {});
        await new AccountLockFence(context).lower(former);
        expect(await lockedUsers()).toEqual(['was_locked']);
        victim.destroy();
      }
      for (let limit = 0; limit < lowers; limit++) {
        proxy.fault = () => 'pass';
        await fence.raise(former, within);
        cutAfter(limit, where);
        await cut.lower(former).catch(() => {});
        await new AccountLockFence(context).lower(former);
        expect(await lockedUsers()).toEqual(['was_locked']);
      }
    }
    await proxy.close();
  }, 120_000);
});
