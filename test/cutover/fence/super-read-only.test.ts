import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SuperReadOnlyState } from '../../../src/cutover/fence/super-read-only.ts';
import { SuperReadOnlyFence } from '../../../src/cutover/fence/super-read-only.ts';
import { proveQuiescence } from '../../../src/cutover/quiescence.ts';
import { isFailure } from '../../../src/failures.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { emptyCatalog } from '../../../src/mysql/catalog/types.ts';
import { openConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { readExecuted } from '../../../src/mysql/watermark.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
let root: Connection;
let fence: SuperReadOnlyFence;
let fenceAccount: Endpoint;
let app: Endpoint;
let reader: Endpoint;

const open: SuperReadOnlyState = {
  kind: 'super-read-only',
  readOnly: false,
  superReadOnly: false,
  persisted: { readOnly: 'not persisted', superReadOnly: 'not persisted' },
};
const signal = AbortSignal.timeout(120_000);

beforeAll(async () => {
  server = await startMysql();
  root = await openConnection(server.endpoint);
  const account = async (user: string, grants: string): Promise<Endpoint> => {
    await root.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'secret-of-${user}'`);
    await root.query(`GRANT ${grants} TO ${user}@'%'`);
    return { ...server.endpoint, user, password: `secret-of-${user}` };
  };
  await root.query('CREATE DATABASE app');
  await root.query('CREATE TABLE app.t (id int PRIMARY KEY AUTO_INCREMENT, v int)');
  fenceAccount = await account(
    'fence',
    'SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN ON *.*',
  );
  reader = await account('reader', 'SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.*');
  app = await account('app', 'SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON app.*');
  await root.query("GRANT XA_RECOVER_ADMIN ON *.* TO app@'%'");
  fence = new SuperReadOnlyFence({
    account: fenceAccount,
    source: reader,
    schemas: ['app'],
    applicationAccounts: [{ user: 'app', host: '%', login: app }],
  });
});

afterEach(async () => {
  await fence.lower(open);
});

afterAll(async () => {
  await root.close();
  await server.stop();
});

async function readState(): Promise<Omit<SuperReadOnlyState, 'foreign'>> {
  const { foreign: _foreign, ...state } = await fence.read();
  return state;
}

function job() {
  return { fence, fenceAccount, source: reader, catalog: emptyCatalog };
}

async function errnoOf(run: Promise<unknown>): Promise<number | undefined> {
  return await run.then(
    () => undefined,
    (error: unknown) => (isFailure(error) ? error.detail.errno : -1),
  );
}

describe('the fence by super_read_only', () => {
  it('puts back every former combination, as running and as persisted', async () => {
    const combinations: { statements: string[]; expected: SuperReadOnlyState }[] = [
      { statements: [], expected: open },
      { statements: ['SET GLOBAL read_only = ON'], expected: { ...open, readOnly: true } },
      {
        statements: ['SET GLOBAL super_read_only = ON'],
        expected: { ...open, readOnly: true, superReadOnly: true },
      },
      {
        statements: ['SET PERSIST read_only = ON'],
        expected: {
          ...open,
          readOnly: true,
          superReadOnly: false,
          persisted: { readOnly: 'ON', superReadOnly: 'not persisted' },
        },
      },
      {
        statements: ['SET PERSIST read_only = ON', 'SET GLOBAL read_only = OFF'],
        expected: { ...open, persisted: { readOnly: 'ON', superReadOnly: 'not persisted' } },
      },
      {
        statements: ['SET PERSIST super_read_only = OFF', 'SET PERSIST read_only = OFF'],
        expected: { ...open, persisted: { readOnly: 'OFF', superReadOnly: 'OFF' } },
      },
    ];
    for (const { statements, expected } of combinations) {
      for (const statement of statements) await root.query(statement);
      const former = await fence.read();
      const { foreign, ...plain } = former;
      expect(plain).toEqual(expected);
      expect(foreign === undefined).toBe(!former.readOnly);
      await fence.raise(open, { lockWaitMs: 5000, signal });
      expect(await readState()).toMatchObject({ readOnly: true, superReadOnly: true });
      await fence.persist();
      // As a person would, from what the report prints.
      for (const statement of fence
        .unfenceCommand(former)
        .split(';')
        .filter((s) => s.trim() !== '')) {
        await root.query(statement);
      }
      expect(await readState()).toEqual(expected);
      await fence.raise(open, { lockWaitMs: 5000, signal });
      await fence.persist();
      await fence.lower(former);
      expect(await readState()).toEqual(expected);
      await fence.lower(open);
    }
  });

  it('holds over a restart once it is persisted', async () => {
    const former = await readState();
    await fence.raise(open, { lockWaitMs: 5000, signal });
    await fence.persist();
    await root.close();
    await server.restart();
    root = await openConnection(server.endpoint);
    expect(await readState()).toMatchObject({ readOnly: true, superReadOnly: true });
    await fence.lower(former);
    await server.restart();
    await root.close();
    root = await openConnection(server.endpoint);
    expect(await readState()).toEqual(open);
  });

  it('gives up within its time behind LOCK TABLES, and lowering leaves nothing waiting', async () => {
    await using locker = await openConnection(app);
    await locker.query('LOCK TABLES app.t WRITE');
    const began = performance.now();
    await expect(fence.raise(open, { lockWaitMs: 1500, signal })).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
    });
    expect(performance.now() - began).toBeLessThan(5000);
    await fence.lower(open);
    expect(await readState()).toEqual(open);
    await locker.query('UNLOCK TABLES');
    await sleep(300);
    expect(await readState()).toEqual(open);
  });

  it('takes the word of the server, not of the lost reply', async () => {
    await using locker = await openConnection(app);
    await locker.query('LOCK TABLES app.t WRITE');
    const raised = fence.raise(open, { lockWaitMs: 20_000, signal });
    const waiting = async (): Promise<number | undefined> => {
      const sessions = await root.query<{ Id: number; Info: string | null }>(
        'SHOW FULL PROCESSLIST',
      );
      return sessions.find(({ Info }) => Info?.includes('skyferry fence'))?.Id;
    };
    let first: number | undefined;
    while ((first = await waiting()) === undefined) await sleep(10);
    await root.query(`KILL ${first}`);
    let second: number | undefined;
    while ((second = await waiting()) === undefined || second === first) await sleep(10);
    await locker.query('UNLOCK TABLES');
    await raised;
    expect((await readState()).superReadOnly).toBe(true);
  });

  it('ends a raise that an aborted worker left waiting', async () => {
    await using locker = await openConnection(app);
    await locker.query('LOCK TABLES app.t WRITE');
    const abort = new AbortController();
    const raised = fence.raise(open, { lockWaitMs: 20_000, signal: abort.signal });
    await sleep(300);
    abort.abort(new Error('worker stops'));
    await expect(raised).rejects.toThrow('worker stops');
    await fence.lower(open);
    await locker.query('UNLOCK TABLES');
    await sleep(300);
    expect(await readState()).toEqual(open);
  });
});

describe('quiescence', () => {
  it('lets nothing be committed after the position was read, under 16 writers', async () => {
    const stop = new AbortController();
    let acknowledged = 0;
    const writers = Array.from({ length: 16 }, async (_, w) => {
      await using connection = await openConnection(app);
      while (!stop.signal.aborted) {
        try {
          if (w % 2 !== 0) await connection.query('BEGIN');
          await connection.query('INSERT INTO app.t (v) VALUES (1)');
          if (w % 2 !== 0) await connection.query('COMMIT');
          acknowledged++;
        } catch {
          // Refused by the fence, or ended by the proof.
          await sleep(5);
        }
      }
    });
    for (let run = 0; run < 10; run++) {
      await sleep(100);
      await fence.raise(open, { lockWaitMs: 5000, signal });
      const { position, evidence } = await proveQuiescence(job(), {
        withinMs: 5000,
        signal,
      });
      const [rows] = await root.query<{ n: string }>('SELECT COUNT(*) AS n FROM app.t');
      await sleep(200);
      expect(await readExecuted(root)).toEqual(position);
      expect(await root.query('SELECT COUNT(*) AS n FROM app.t')).toEqual([rows]);
      expect(evidence.positions[0]).toEqual(evidence.positions[1]);
      await fence.lower(open);
    }
    stop.abort();
    await Promise.all(writers);
    const [rows] = await root.query<{ n: string }>('SELECT COUNT(*) AS n FROM app.t');
    expect(Number(rows?.n)).toBe(acknowledged);
  });

  it('is refused while an XA transaction is prepared, and given once it is committed', async () => {
    await using session = await openConnection(app);
    await session.query("XA START 'x'");
    await session.query('INSERT INTO app.t (v) VALUES (7)');
    await session.query("XA END 'x'");
    await session.query("XA PREPARE 'x'");
    await session.close();
    await fence.raise(open, { lockWaitMs: 5000, signal });
    const options = { withinMs: 600, signal };
    await expect(proveQuiescence(job(), options)).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
      message: expect.stringContaining('XA') as string,
    });
    const proved = proveQuiescence(job(), { withinMs: 20_000, signal });
    await root.query("XA COMMIT 'x'");
    expect((await proved).position).toEqual(await readExecuted(root));
  });

  it('ends a session that keeps a writing transaction open; its commit does not come through', async () => {
    await using session = await openConnection(app);
    await session.query('BEGIN');
    await session.query('INSERT INTO app.t (v) VALUES (99)');
    await fence.raise(open, { lockWaitMs: 5000, signal });
    const { evidence } = await proveQuiescence(job(), { withinMs: 1000, signal });
    expect(evidence.endedSessions).toBe(1);
    await expect(session.query('COMMIT')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await root.query('SELECT * FROM app.t WHERE v = 99')).toEqual([]);
  });

  it('is refused without a fence', async () => {
    await expect(proveQuiescence(job(), { withinMs: 200, signal })).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
    });
  });

  it('refuses writes of everybody behind the fence', async () => {
    await fence.raise(open, { lockWaitMs: 5000, signal });
    await using session = await openConnection(app);
    expect(await errnoOf(session.query('INSERT INTO app.t (v) VALUES (1)'))).toBe(1290);
    expect(await errnoOf(root.query('INSERT INTO app.t (v) VALUES (1)'))).toBe(1290);
    expect(await fence.prove()).toEqual({
      kind: 'super-read-only',
      accounts: [{ account: 'app@%', by: 'a write that was refused (1290)' }],
    });
    await fence.lower(open);
    await expect(fence.prove()).rejects.toMatchObject({ code: 'NOT_QUIESCENT' });
  });
});
