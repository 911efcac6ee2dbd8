import { open, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isFailure } from '../../../src/failures.ts';
import { crc32 } from '../../../src/mysql/binlog/crc32.ts';
import { EventDecoder } from '../../../src/mysql/binlog/event-decoder.ts';
import type { BinlogEvent } from '../../../src/mysql/binlog/events.ts';
import { eventCodes } from '../../../src/mysql/binlog/events.ts';
import type { OnEvent, ReadBinlogOptions } from '../../../src/mysql/binlog/read-binlog.ts';
import { readBinlog } from '../../../src/mysql/binlog/read-binlog.ts';
import { walkRows } from '../../../src/mysql/binlog/rows.ts';
import type { Connection } from '../../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import { GtidSet } from '../../../src/mysql/gtid-set.ts';
import type { FilePosition } from '../../../src/mysql/position.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';

let server: TestMysql;
let connection: Connection;

beforeAll(async () => {
  server = await startMysql(['--binlog-row-metadata=FULL', '--max-allowed-packet=128M']);
});

beforeEach(async () => {
  connection = await openConnection(server.endpoint);
  await connection.query('RESET BINARY LOGS AND GTIDS');
  await connection.query('DROP SCHEMA IF EXISTS app');
  await connection.query('CREATE SCHEMA app');
  await connection.query('USE app');
  await connection.query('CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)');
  return () => connection.close();
});

afterAll(() => server.stop());

describe('positions', () => {
  test('every event ends where SHOW BINLOG EVENTS says, over several files', async () => {
    await fill();
    const events = await read(firstFile);
    for (const { Log_name: file } of await connection.query('SHOW BINARY LOGS')) {
      const shown = await connection.query(`SHOW BINLOG EVENTS IN '${String(file)}'`);
      // The server makes up a rotation before the file's own events, and sends the real one after them.
      const own = events.filter((e) => e.file === file && e.type !== 'rotate');
      const ends = shown.filter((e) => e['Event_type'] !== 'Rotate').map((e) => e['End_log_pos']);
      expect(own.map((e) => String(e.offset))).toEqual(ends);
    }
  });

  test('reading begins where it is told, by file and offset or by GTIDs', async () => {
    await fill();
    const events = await read(firstFile);
    const xids = events.filter((e) => e.type === 'xid');
    const gtids = events.filter((e) => e.type === 'gtid');
    const middle = xids[1]!;
    const afterFile = await read({ file: middle.file, offset: middle.offset });
    const seen = gtids.slice(
      0,
      gtids.findIndex((g) => g.offset > middle.offset),
    );
    const set = seen.reduce((s, g) => s.add(g.uuid, g.tag, g.number), GtidSet.empty);
    const afterSet = await read(set);
    const rest = describeAll(events.slice(events.indexOf(middle) + 1));
    const own = ({ type }: BinlogEvent) =>
      !['rotate', 'format-description', 'previous-gtids', 'heartbeat'].includes(type);
    const expected = describeAll(events.slice(events.indexOf(middle) + 1).filter(own));
    expect(rest.length).toBeGreaterThan(expected.length);
    expect(describeAll(afterFile.filter(own))).toEqual(expected);
    expect(describeAll(afterSet.filter(own))).toEqual(expected);
  });

  test('a GTID event tells how long its transaction is and when it was committed', async () => {
    await fill();
    const events = await read(GtidSet.empty);
    const gtids = events.filter((e) => e.type === 'gtid');
    const ages = gtids.map((gtid) => Date.now() - gtid.immediateCommitMicros! / 1000);
    expect(Math.max(...ages.map(Math.abs))).toBeLessThan(120_000);
    const starts = gtids.map((gtid) => events[events.indexOf(gtid) - 1]!.offset);
    const ends = gtids.map((gtid, i) => starts[i]! + gtid.transactionLength!);
    const xids = events.filter((e) => e.type === 'xid').map((e) => e.offset);
    expect(xids.length).toBeGreaterThan(5);
    expect(ends).toEqual(expect.arrayContaining(xids));
  });

  test('tagged GTIDs come with their tag and are skipped by a set that holds them', async () => {
    await fill();
    const gtids = (await read(GtidSet.empty)).filter((e) => e.type === 'gtid');
    expect(gtids.filter((g) => g.tag === 'nightly').map((g) => g.number)).toEqual([1n]);
    const all = gtids.reduce((s, g) => s.add(g.uuid, g.tag, g.number), GtidSet.empty);
    const [row] = await connection.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
    expect(all.toString()).toBe(row?.set.replaceAll('\n', ''));
    expect((await read(all)).filter((e) => e.type === 'gtid')).toEqual([]);
  });
});

test('offsets beyond 4 GiB are followed though headers have 32 bits of them', () => {
  const FOUR_GIB = 2 ** 32;
  const decoder = new EventDecoder({ file: 'binlog.000009', offset: FOUR_GIB - 30 });
  const stop = (end: number) => {
    const event = Buffer.alloc(19);
    event[4] = eventCodes.stop;
    event.writeUInt32LE(19, 9);
    event.writeUInt32LE(end % FOUR_GIB, 13);
    decoder.decode(event, 0, event.length);
    return decoder.position.offset;
  };
  expect(stop(FOUR_GIB - 11)).toBe(FOUR_GIB - 11);
  expect(stop(FOUR_GIB + 8)).toBe(FOUR_GIB + 8);
  // What the server skipped in between.
  expect(stop(2 * FOUR_GIB - 1)).toBe(2 * FOUR_GIB - 1);
  expect(stop(2 * FOUR_GIB + 18)).toBe(2 * FOUR_GIB + 18);
});

describe('what is in the events', () => {
  test('a compressed transaction gives the same rows as an uncompressed one', async () => {
    const statements = [
      'INSERT INTO t SELECT n, REPEAT(CHAR(65 + n % 26), n % 300) FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 900) SELECT * FROM s) AS numbers',
      'UPDATE t SET v = CONCAT(v, id)',
      'DELETE FROM t',
    ];
    const run = async (compression: 'ON' | 'OFF') => {
      await connection.query('FLUSH BINARY LOGS');
      const from = (await connection.query<{ File: string }>('SHOW BINARY LOG STATUS'))[0]!;
      await connection.query(`SET SESSION binlog_transaction_compression = ${compression}`);
      for (const statement of statements) await connection.query(statement);
      const images: string[] = [];
      const events = await read({ file: from.File, offset: 4 }, (event) => {
        if (event.type !== 'rows') return;
        walkRows(event, (start, _, end) => images.push(event.bytes.toString('hex', start, end)));
      });
      const [status] = await connection.query<{ Position: string }>('SHOW BINARY LOG STATUS');
      expect(events.at(-1)?.offset).toBe(Number(status?.Position));
      return { images, bytes: Number(status?.Position) };
    };
    const plain = await run('OFF');
    const compressed = await run('ON');
    expect(compressed.bytes).toBeLessThan(plain.bytes / 2);
    expect(compressed.images).toEqual(plain.images);
    expect(plain.images).toHaveLength(2700);
  });

  test('events beyond 16 MB, over TLS and without', async () => {
    await connection.query("INSERT INTO t VALUES (1, REPEAT('abcdefgh', 5000000))");
    await connection.query('SET SESSION binlog_transaction_compression = ON');
    await connection.query("INSERT INTO t VALUES (2, REPEAT('abcdefgh', 5000000))");
    const { tls: _, ...login } = server.endpoint;
    for (const source of [server.endpoint, { ...login, tls: { mode: 'disabled' as const } }]) {
      const sizes: number[] = [];
      await readBinlog({ ...defaults(), source, from: GtidSet.empty }, (event) => {
        if (event.type !== 'rows') return;
        walkRows(event, (start, _split, end) => {
          sizes.push(end - start);
          expect(crc32(event.bytes, end - 8, end)).toBe(crc32(Buffer.from('abcdefgh')));
        });
      });
      expect(sizes).toEqual([40_000_009, 40_000_009]);
    }
  });

  test('rows with columns left out are refused, but only when they are looked at', async () => {
    await connection.query("INSERT INTO t VALUES (1, 'x')");
    await connection.query("SET SESSION binlog_row_image = 'MINIMAL'");
    await connection.query("UPDATE t SET v = 'y'");
    let updates = 0;
    const refused = read(GtidSet.empty, (event) => {
      if (event.type !== 'rows' || event.change !== 'update') return;
      updates += 1;
      walkRows(event, () => {});
    });
    await expect(refused).rejects.toSatisfy((e) => isFailure(e, 'BINLOG_UNSUPPORTED'));
    expect(updates).toBe(1);
    expect((await read(GtidSet.empty)).filter((e) => e.type === 'xid')).toHaveLength(2);
  });

  test('JSON differences are refused by name of the table', async () => {
    await connection.query('CREATE TABLE j (id INT PRIMARY KEY, doc JSON)');
    await connection.query(`INSERT INTO j VALUES (1, '{"a": "${'x'.repeat(500)}"}')`);
    await connection.query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'");
    await connection.query("UPDATE j SET doc = JSON_SET(doc, '$.a', 'short')");
    const refused = read(GtidSet.empty, (event) => {
      if (event.type === 'rows') walkRows(event, () => {});
    });
    await expect(refused).rejects.toThrow(/rows of app\.j: .*binlog_row_value_options/);
  });
});

describe('what must stop the run', () => {
  test('a changed byte anywhere in an event', async () => {
    await fill();
    const { path, events } = await lastClosedFile();
    const victims = events.filter((e) => e.type === 'rows' || e.type === 'xid');
    for (const victim of victims.slice(0, 4)) {
      // Behind the type and the length: those have tests of their own.
      const restore = await overwrite(path, victim.offset - 6, (bytes) => (bytes[0]! ^= 0x40), 1);
      await expect(read(fileOf(victim))).rejects.toSatisfy((e) => isFailure(e, 'BINLOG_CORRUPT'));
      await restore();
    }
    await read(fileOf(victims[0]!));
  });

  test('an event of a type that nobody knows, with its position', async () => {
    await fill();
    const { path, events } = await lastClosedFile();
    const index = events.findIndex((e) => e.type === 'xid');
    const start = events[index - 1]!.offset;
    const length = events[index]!.offset - start;
    const changeType = (ignorable: boolean) =>
      overwrite(
        path,
        start,
        (event) => {
          event[4] = 99;
          if (ignorable) event[17]! |= 0x80;
          event.writeUInt32LE(crc32(event, 0, length - 4), length - 4);
        },
        length,
      );
    const restore = await changeType(false);
    const reading = read(fileOf(events[index]!));
    await expect(reading).rejects.toSatisfy((e) => isFailure(e, 'BINLOG_UNSUPPORTED'));
    await expect(reading).rejects.toThrow(`after offset ${start})`);
    await restore();

    const restoreIgnorable = await changeType(true);
    const ignored = (await read(fileOf(events[index]!))).filter((e) => e.type === 'ignorable');
    expect(ignored).toMatchObject([{ code: 99 }]);
    await restoreIgnorable();
  });

  test('a binlog that is gone, by GTIDs and by file; a position beyond the end', async () => {
    await fill();
    const files = await connection.query<{ Log_name: string }>('SHOW BINARY LOGS');
    await connection.query(`PURGE BINARY LOGS TO '${files.at(-1)!.Log_name}'`);
    const ahead = GtidSet.parse(await executed()).add(await uuid(), '', 5_000);
    for (const from of [
      GtidSet.empty,
      firstFile,
      { file: files.at(-1)!.Log_name, offset: 1e9 },
      ahead,
    ]) {
      await expect(read(from)).rejects.toSatisfy((e) => isFailure(e, 'BINLOG_PURGED'));
    }
  });

  test('an account that may not read it', async () => {
    await connection.query("CREATE USER IF NOT EXISTS nobody IDENTIFIED BY 'nobody-here'");
    const source = { ...server.endpoint, user: 'nobody', password: 'nobody-here' };
    for (const from of [GtidSet.empty, firstFile]) {
      const reading = readBinlog({ ...defaults(), source, from }, () => {});
      await expect(reading).rejects.toSatisfy((e) => isFailure(e, 'ACCESS_DENIED'));
    }
  });

  test('an offset within an event: the server refuses, and it is not taken for purged', async () => {
    await fill();
    await expect(read({ ...firstFile, offset: 130 })).rejects.toSatisfy((e) =>
      isFailure(e, 'BINLOG_CORRUPT'),
    );
  });
});

describe('the stream', () => {
  test('a slow consumer holds it back and misses nothing; stop ends it', async () => {
    await fill();
    const expected = describeAll(await read(GtidSet.empty));
    const seen: string[] = [];
    let running = 0;
    await readBinlog({ ...defaults(), from: GtidSet.empty }, async (event) => {
      expect(++running).toBe(1);
      seen.push(describeOne(event));
      if (seen.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
    });
    expect(seen).toEqual(expected);

    const few: string[] = [];
    const end = await readBinlog({ ...defaults(), from: GtidSet.empty }, (event) => {
      few.push(describeOne(event));
      return few.length === 5 ? 'stop' : undefined;
    });
    expect(few).toEqual(expected.slice(0, 5));
    expect(`${end.file}:${end.offset}`).toBe(few.at(-1)?.split(' ')[0]);
  });

  test("what the consumer throws comes out as it is, and so does the signal's reason", async () => {
    const thrown = new Error('thrown by the consumer');
    await expect(
      read(GtidSet.empty, () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    await expect(read(GtidSet.empty, () => Promise.reject(thrown))).rejects.toBe(thrown);

    const abort = new AbortController();
    const waiting = follow(abort.signal, () => {});
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 300);
    await expect(waiting).rejects.toBe(reason);
    await expect(follow(abort.signal, () => {})).rejects.toBe(reason);
  });

  test('it goes on with new transactions, heartbeats between them, two readers at once', async () => {
    const readers = [1, 2].map(async () => {
      let heartbeats = 0;
      const rows: number[] = [];
      await follow(undefined, (event) => {
        if (event.type === 'heartbeat') heartbeats += 1;
        if (event.type === 'rows') walkRows(event, () => rows.push(event.offset));
        return rows.length === 2 && heartbeats > 1 ? 'stop' : undefined;
      });
      return { heartbeats, rows };
    });
    await connection.query("INSERT INTO t VALUES (1, 'a')");
    await new Promise((resolve) => setTimeout(resolve, 700));
    await connection.query("INSERT INTO t VALUES (2, 'b')");
    const [one, two] = await Promise.all(readers);
    expect(one?.rows).toEqual(two?.rows);
  });

  test('a killed dump thread and a frozen server are lost connections', async () => {
    const [killed] = await Promise.allSettled([follow(undefined, () => {}), dumpThreadsKilled()]);
    expect(killed).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_LOST' } });

    let started: () => void = () => {};
    const running = new Promise<void>((resolve) => (started = resolve));
    const frozen = follow(undefined, () => started());
    await running;
    const pid = await server.pid();
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(frozen).rejects.toSatisfy((e) => isFailure(e, 'CONNECTION_LOST'));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

const firstFile = { file: 'binlog.000001', offset: 4 };

function defaults(): Omit<ReadBinlogOptions, 'from'> {
  return { source: server.endpoint, serverId: 4711, heartbeatMs: 1000, untilEnd: true };
}

/** To the log's end; what is returned keeps no bytes. */
async function read(from: GtidSet | FilePosition, onEvent?: OnEvent): Promise<BinlogEvent[]> {
  const events: BinlogEvent[] = [];
  await readBinlog({ ...defaults(), from }, (event) => {
    events.push(event);
    return onEvent?.(event);
  });
  return events;
}

function follow(signal: AbortSignal | undefined, onEvent: OnEvent): Promise<FilePosition> {
  const heartbeat = { heartbeatMs: 250, untilEnd: false };
  return readBinlog(
    {
      ...defaults(),
      ...heartbeat,
      from: GtidSet.empty,
      ...(signal !== undefined && { signal }),
    },
    onEvent,
  );
}

/** Transactions of several kinds in three files. */
async function fill(): Promise<void> {
  for (let file = 0; file < 3; file++) {
    const id = file * 10;
    await connection.query(`INSERT INTO t VALUES (${id + 1}, 'one'), (${id + 2}, NULL)`);
    await connection.query('BEGIN');
    await connection.query(`UPDATE t SET v = 'changed' WHERE id = ${id + 1}`);
    await connection.query(`DELETE FROM t WHERE id = ${id + 2}`);
    await connection.query('COMMIT');
    await connection.query(`INSERT INTO t VALUES (${id + 3}, 'three')`);
    await connection.query(`CREATE TABLE t${file} (a INT)`);
    if (file < 2) await connection.query('FLUSH BINARY LOGS');
  }
  await connection.query("SET SESSION gtid_next = 'AUTOMATIC:nightly'");
  await connection.query("INSERT INTO t VALUES (99, 'tagged')");
  await connection.query("SET SESSION gtid_next = 'AUTOMATIC'");
}

function describeAll(events: readonly BinlogEvent[]): string[] {
  return events.map(describeOne);
}

function describeOne(event: BinlogEvent): string {
  return `${event.file}:${event.offset} ${event.type}`;
}

function fileOf({ file }: FilePosition): FilePosition {
  return { file, offset: 4 };
}

async function lastClosedFile(): Promise<{ path: string; events: BinlogEvent[] }> {
  const file = 'binlog.000002';
  const [row] = await connection.query<{ base: string }>(
    'SELECT @@GLOBAL.log_bin_basename AS base',
  );
  const events = (await read({ file, offset: 4 })).filter((e) => e.file === file);
  return { path: row!.base.replace(/binlog$/, file), events };
}

/** Changes bytes of a binlog file on disk; returns what puts them back. */
async function overwrite(
  path: string,
  at: number,
  change: (bytes: Buffer) => void,
  length: number,
): Promise<() => Promise<void>> {
  const original = (await readFile(path)).subarray(at, at + length);
  const write = async (bytes: Buffer) => {
    const handle = await open(path, 'r+');
    await handle.write(bytes, 0, length, at);
    await handle.close();
  };
  const changed = Buffer.from(original);
  change(changed);
  await write(changed);
  return () => write(original);
}

async function executed(): Promise<string> {
  const [row] = await connection.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
  return row!.set;
}

async function uuid(): Promise<string> {
  const [row] = await connection.query<{ uuid: string }>('SELECT @@GLOBAL.server_uuid AS uuid');
  return row!.uuid;
}

async function dumpThreadsKilled(): Promise<void> {
  await withConnection(server.endpoint, {}, async (c) => {
    for (let killed = 0; killed === 0;) {
      const threads = await c.query<{ ID: string }>(
        "SELECT ID FROM performance_schema.processlist WHERE COMMAND LIKE 'Binlog Dump%'",
      );
      for (const { ID } of threads) await c.query(`KILL ${ID}`);
      killed = threads.length;
    }
  });
}
