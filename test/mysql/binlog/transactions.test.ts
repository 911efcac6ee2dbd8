import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isFailure } from '../../../src/failures.ts';
import type { BinlogEvent } from '../../../src/mysql/binlog/events.ts';
import { readBinlog } from '../../../src/mysql/binlog/read-binlog.ts';
import type { CommittedTransaction } from '../../../src/mysql/binlog/transactions.ts';
import { assembleTransactions } from '../../../src/mysql/binlog/transactions.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { openConnection } from '../../../src/mysql/connection.ts';
import { GtidSet } from '../../../src/mysql/gtid-set.ts';
import type { FilePosition } from '../../../src/mysql/position.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let withGtids: TestMysql;
let withoutGtids: TestMysql;
let connection: Connection;

beforeAll(async () => {
  [withGtids, withoutGtids] = await Promise.all([
    startMysql(),
    startMysql(['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF']),
  ]);
});

afterAll(() => Promise.all([withGtids.stop(), withoutGtids.stop()]));

beforeEach(() => () => connection.close());

test('statements, transactions and DDL become transactions with their GTIDs', async () => {
  await prepare(withGtids);
  await run(
    'INSERT INTO t VALUES (1, 1), (2, 2)',
    'BEGIN',
    'UPDATE t SET v = 3 WHERE id = 1',
    'SAVEPOINT s',
    'DELETE FROM t WHERE id = 2',
    'ROLLBACK TO s',
    'INSERT INTO other.t VALUES (1, 1)',
    'COMMIT',
    'ALTER TABLE t ADD COLUMN w INT',
    'INSERT INTO other.t VALUES (2, 2)',
    'CREATE USER somebody',
    'CREATE TABLE made AS SELECT * FROM t',
    'CREATE TEMPORARY TABLE scratch (a INT)',
    'INSERT INTO scratch VALUES (1)',
  );
  const { log, commits } = await assembled(withGtids);
  expect(log).toEqual([
    'insert t',
    'commit',
    'update t',
    'commit',
    'statement ALTER',
    'commit',
    'commit',
    'statement CREATE USER',
    'commit',
    'statement CREATE TABLE',
    'insert made',
    'commit',
  ]);
  const set = commits.reduce(
    (s, { gtid }) => s.add(gtid!.uuid, gtid!.tag, gtid!.number),
    GtidSet.empty,
  );
  const [row] = await connection.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
  expect(GtidSet.parse(row!.set).subtract(set).size()).toBe(preparedTransactions);
  expect(Date.now() - commits.at(-1)!.commitMicros / 1000).toBeLessThan(60_000);
});

test('an XA transaction in one phase is one; a prepared one stops when it holds our rows', async () => {
  await prepare(withGtids);
  await run("XA START 'a'", 'INSERT INTO t VALUES (1, 1)', "XA END 'a'", "XA COMMIT 'a' ONE PHASE");
  await xa('b', 'INSERT INTO other.t VALUES (1, 1)', 'COMMIT');
  await xa('c', 'INSERT INTO other.t VALUES (2, 1)', 'ROLLBACK');
  expect((await assembled(withGtids)).log).toEqual([
    'insert t',
    ...Array<string>(5).fill('commit'),
  ]);

  await xa('d', 'INSERT INTO t VALUES (2, 2)', 'COMMIT');
  await expect(assembled(withGtids)).rejects.toSatisfy((e) => isFailure(e, 'BINLOG_UNSUPPORTED'));
});

test('the commit of an XA transaction that was prepared before the start stops', async () => {
  await prepare(withGtids);
  await run("XA START 'a'", 'INSERT INTO t VALUES (1, 1)', "XA END 'a'", "XA PREPARE 'a'");
  const [status] = await connection.query<{ File: string; Position: string }>(
    'SHOW BINARY LOG STATUS',
  );
  await run("XA COMMIT 'a'");
  const from = { file: status!.File, offset: Number(status!.Position) };
  await expect(assembled(withGtids, from)).rejects.toThrow(/XA COMMIT/);
});

test('without GTIDs the same, also with a table that knows no transactions', async () => {
  await prepare(withoutGtids);
  const [status] = await connection.query<{ File: string; Position: string }>(
    'SHOW BINARY LOG STATUS',
  );
  const from = { file: status!.File, offset: Number(status!.Position) };
  await run('CREATE TABLE plain (id INT) ENGINE = MyISAM');
  await run('INSERT INTO t VALUES (1, 1)');
  await run(
    'BEGIN',
    'INSERT INTO plain VALUES (1)',
    'SAVEPOINT `a b`',
    'ROLLBACK TO `a b`',
    'COMMIT',
  );
  const { log, commits } = await assembled(withoutGtids, from);
  expect(log).toEqual([
    'statement CREATE TABLE',
    'commit',
    'insert t',
    'commit',
    'insert plain',
    'commit',
    // The rest of that transaction: its savepoint alone.
    'commit',
  ]);
  expect(commits.every(({ gtid }) => gtid === null)).toBe(true);
});

/** Servers log a rollback only for what sessions of other formats mix: the events are put together here. */
test.each(['ROLLBACK', 'ROLLBACK TO `a`', 'rollback work to savepoint a'])(
  '%s in the log stops when it would undo our rows, and only then',
  async (rollback) => {
    await prepare(withGtids);
    await run('BEGIN', 'INSERT INTO t VALUES (1, 1)', 'SAVEPOINT a');
    await run('INSERT INTO t VALUES (2, 1)', 'COMMIT');
    const events: BinlogEvent[] = [];
    await readBinlog(
      {
        source: withGtids.endpoint,
        serverId: 4712,
        heartbeatMs: 1000,
        untilEnd: true,
        from: start,
      },
      (event) => void events.push(event),
    );
    const savepoint = events.find((e) => e.type === 'query' && e.sql.startsWith('SAVEPOINT'));
    const undo = { ...savepoint, sql: rollback } as BinlogEvent;
    const replay = (wanted: boolean) => {
      const next = assembleTransactions({
        wants: () => wanted,
        rows: () => {},
        statement: () => {},
        commit: () => {},
      });
      for (const event of events) {
        if (event.type === 'xid') void next(undo);
        if (event.type !== 'xid' || rollback !== 'ROLLBACK') void next(event);
      }
    };
    expect(() => replay(true)).toThrow(/ROLLBACK in the binlog/);
    expect(() => replay(false)).not.toThrow();
  },
);

/** Since the last `prepare`, or from `from` on. Our schema is `app`; `other` is somebody else's. */
async function assembled(
  server: TestMysql,
  from: GtidSet | FilePosition = start,
): Promise<{ log: string[]; commits: CommittedTransaction[] }> {
  const log: string[] = [];
  const commits: CommittedTransaction[] = [];
  const onEvent = assembleTransactions({
    wants: ({ name }) => name.schema === 'app',
    rows: ({ change, table }) => void log.push(`${change} ${table.name.name}`),
    statement: ({ sql }) => {
      log.push(`statement ${/^(CREATE \w+|\w+)/.exec(sql)?.[0]}`);
    },
    commit: (transaction) => {
      log.push('commit');
      commits.push(transaction);
    },
  });
  await readBinlog(
    { source: server.endpoint, serverId: 4712, heartbeatMs: 1000, untilEnd: true, from },
    onEvent,
  );
  return { log, commits };
}

let start: GtidSet | FilePosition;
const preparedTransactions = 5n;

async function prepare(server: TestMysql): Promise<void> {
  connection = await openConnection(server.endpoint);
  await run('DROP SCHEMA IF EXISTS app', 'DROP SCHEMA IF EXISTS other');
  await run('DROP USER IF EXISTS somebody', 'RESET BINARY LOGS AND GTIDS');
  await run('CREATE SCHEMA app', 'CREATE SCHEMA other', 'USE app');
  await run('CREATE TABLE t (id INT PRIMARY KEY, v INT)', 'CREATE TABLE other.t LIKE t');
  if (server === withGtids) {
    await run('INSERT INTO t VALUES (77, 1)');
    const [row] = await connection.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
    start = GtidSet.parse(row!.set);
  }
}

async function xa(name: string, statement: string, end: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  await run(`XA START '${name}'`, statement, `XA END '${name}'`, `XA PREPARE '${name}'`);
  await run(`XA ${end} '${name}'`);
}

async function run(...statements: string[]): Promise<void> {
  for (const statement of statements) await connection.query(statement);
}
