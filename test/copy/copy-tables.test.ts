import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { acquireEpoch } from '../../src/checkpoint/epoch.ts';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import { readChunks } from '../../src/copy/chunks.ts';
import { copyTables } from '../../src/copy/copy-tables.ts';
import { snapshotTable } from '../../src/copy/snapshot.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { openRawConnection } from '../../src/mysql/open-raw-connection.ts';
import { readBinlogEnd } from '../../src/mysql/watermark.ts';
import type { CopyProgress } from '../../src/workflows/messages.ts';
import type { Lab } from './lab.ts';
import { dump, expectEqualTables, prepare, startLab } from './lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ targetFlags: ['--max-allowed-packet=4M'] });
});
afterAll(() => lab.stop());

const quiet = { signal: new AbortController().signal, onProgress: () => {} };

const numbers = (rows: number) =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT`;

test('every type arrives as it was, to the byte', async () => {
  const job = await prepare(lab, 'types', [
    `CREATE TABLE numbers (id bigint unsigned PRIMARY KEY, t tinyint, s smallint unsigned, m mediumint,
       i int(6) zerofill, d decimal(65,30), f float, d2 double, fm float(7,3), dm double(20,10), b1 bit(1), b64 bit(64), b9 bit(9))`,
    `INSERT INTO numbers VALUES
       (0, -128, 65535, -8388608, 42, -12345678901234567890123456789012345.123456789012345678901234567890, 16777217, 0.1, 1.1, 1.1, 1, ~0, 256),
       (18446744073709551615, 127, 0, 0, 0, 0, -0e0, -0e0, -1234.567, 1234567890.0123456789, 0, 0, 9),
       (9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       (10, 1, 1, 1, 1, 1, 3.4028235e38, 1.7976931348623157e308, 0.001, 0.0000000001, b'1', 0x5C095C0A2700FF01, 0x5C),
       (11, 1, 1, 1, 1, 1, 1.17549435e-38, 2.2250738585072014e-308, 0, 0, b'1', 0x0A, 0x0A)`,
    `INSERT INTO numbers (id, f, d2) ${numbers(500)} 1000 + i, RAND(i) * POW(10, i % 60 - 30), RAND(i + 7) * POW(10, i - 250) FROM n`,
    `CREATE TABLE times (id int PRIMARY KEY AUTO_INCREMENT, d date, dt datetime(6), ts timestamp(6) NULL, t time(6), y year)`,
    `INSERT INTO times VALUES
       (0, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-838:59:59', 0),
       (2, '2020-00-00', '2020-02-30 23:59:59.999999', '1970-01-01 00:00:01', '838:59:59', 1901),
       (3, '9999-12-31', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.499999', '-00:00:00.000001', 2155),
       (4, NULL, NULL, NULL, NULL, NULL)`,
    `CREATE TABLE choices (id int PRIMARY KEY, e enum('a','','1','\\\\t','b,c'), n enum('x','2','1') NOT NULL, s set('a','b','\\n'), u enum('ä','ö') CHARACTER SET utf16)`,
    `INSERT INTO choices VALUES (1, 'a', 'x', 'a,b', 'ö'), (2, '', '1', '', 'ä'), (3, '1', '2', '\\n', NULL), (4, NULL, 'x', NULL, NULL)`,
    `INSERT IGNORE INTO choices VALUES (5, 'nothing', 'nothing', 'a', 'nothing')`,
    `CREATE TABLE set64 (id int PRIMARY KEY, s set(${Array.from({ length: 64 }, (_, i) => `'m${i}'`).join()}))`,
    `INSERT INTO set64 VALUES (1, 'm63'), (2, 'm0,m63'), (3, '')`,
    `CREATE TABLE texts (id int PRIMARY KEY, v varchar(100), c char(10) CHARACTER SET latin1, t longtext CHARACTER SET utf16,
       g varchar(20) CHARACTER SET gbk, j varchar(20) CHARACTER SET sjis, u3 varchar(20) CHARACTER SET utf8mb3,
       b binary(16), vb varbinary(300), lb longblob) CHARACTER SET utf8mb4`,
    `INSERT INTO texts VALUES
       (1, 'tab\\tnewline\\nback\\\\slash\\\\N\\0nul\\r\\Z''"', 'é', '\\\\N', _gbk x'B25C', _sjis x'835C', 'ü', 'a\\0\\0', 0x00FF5C0A09, 0xC0AF5C4E0A),
       (2, '\\\\N', '', '', '', '', '', '', '', ''),
       (3, 'NULL', 'NULL', 'NULL', NULL, NULL, NULL, NULL, NULL, NULL),
       (4, '😀 \\\\', _latin1 x'C3A9', '😀\\n', 'a', 'b', 'c', 0x000102030405060708090A0B0C0D0E0F, REPEAT(0x5C, 300), REPEAT(0x0A5C09, 100000)),
       (5, ' spaces ', ' x', ' ', ' ', ' ', ' ', ' ', ' ', ' ')`,
    `CREATE TABLE documents (id int PRIMARY KEY, j json)`,
    `INSERT INTO documents VALUES (1, '{"a":[1,1.0,-0.0,18446744073709551615,1e300,null,true,"t\\\\t\\\\n\\\\\\\\N ü😀"]}'), (2, 'null'), (3, NULL), (4, '"\\\\u0000"'), (5, '0.1')`,
    `CREATE TABLE shapes (id int PRIMARY KEY, g geometry, p point NOT NULL SRID 4326, y polygon)`,
    `INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(9 10)'), ST_SRID(POINT(9, 10), 4326), ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')),
       (2, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'), ST_SRID(POINT(0.1, -45.5), 4326), NULL)`,
    `CREATE TABLE vectors (id int PRIMARY KEY, v vector(3))`,
    `INSERT INTO vectors VALUES (1, TO_VECTOR('[1.1,-0.0,3e30]')), (2, NULL)`,
    `CREATE TABLE hidden (id int PRIMARY KEY, a int, v int AS (a + 1) VIRTUAL, s int AS (a * 2) STORED, i int INVISIBLE, \`odd \`\`name\` int)`,
    `INSERT INTO hidden (id, a, i, \`odd \`\`name\`) VALUES (1, 1, 7, 8), (2, NULL, NULL, NULL)`,
  ]);
  const result = await copyTables(job, quiet);
  await expectEqualTables(lab, job);
  expect(result.tables.find((t) => t.table === 'types.numbers')?.rows).toBe(505);
  const negativeZero = await lab.onTarget.query(
    "SELECT id FROM types.numbers WHERE CAST(f * 1e0 AS CHAR) = '-0' AND CAST(d2 AS CHAR) = '-0'",
  );
  expect(negativeZero.length).toBe(1);
});

test('a row longer than a packet, and than the target takes in one, is streamed', async () => {
  const job = await prepare(lab, 'long_rows', [
    'CREATE TABLE t (id int PRIMARY KEY, a longblob, b longtext)',
    "INSERT INTO t VALUES (1, REPEAT(0x5C0A00FF, 5000000), 'x'), (2, '', NULL), (3, REPEAT(0x61, 16777215 - 10), REPEAT('b', 70000))",
    "INSERT INTO t SELECT id + 10, NULL, REPEAT('c\\t', 60000) FROM t",
  ]);
  await copyTables(job, quiet);
  // The target's own functions stop at its packet size: the rows are hashed here.
  const digests = async (endpoint: Endpoint) => {
    const raw = await openRawConnection(endpoint);
    const rows: string[] = [];
    await raw.selectRows('SELECT * FROM long_rows.t ORDER BY id', (buffer, start, end) => {
      rows.push(createHash('sha256').update(buffer.subarray(start, end)).digest('hex'));
      return true;
    });
    await raw.close();
    return rows;
  };
  const expected = await digests(lab.source);
  expect(expected.length).toBe(6);
  expect(await digests(lab.target)).toEqual(expected);
}, 120_000);

test('keys of every kind are cut without gap or overlap', async () => {
  const job = await prepare(lab, 'key_kinds', [
    'CREATE TABLE dense (id int PRIMARY KEY, v int)',
    `INSERT INTO dense ${numbers(1000)} i, i FROM n`,
    'CREATE TABLE sparse (id bigint unsigned PRIMARY KEY)',
    `INSERT INTO sparse ${numbers(700)} i * i * i * 4294967296 FROM n`,
    'CREATE TABLE words (w varchar(40) COLLATE utf8mb4_general_ci PRIMARY KEY)',
    `INSERT INTO words ${numbers(900)} CONCAT(IF(i % 2, 'Ä', 'a'), CHAR(97 + i % 26), i, IF(i % 3, ' ', '')) FROM n`,
    'CREATE TABLE pairs (a char(5) CHARACTER SET latin1, b datetime(3), c decimal(10,2), PRIMARY KEY (a, b, c))',
    `INSERT INTO pairs ${numbers(900)} CHAR(97 + i % 3), '2020-01-01' + INTERVAL i % 7 DAY, -i / 10 FROM n`,
    "CREATE TABLE kinds (e enum('z','a'), n int, PRIMARY KEY (e, n))",
    `INSERT INTO kinds ${numbers(400)} IF(i % 2, 'z', 'a'), i FROM n`,
    'CREATE TABLE half (n int, f float, PRIMARY KEY (n, f))',
    `INSERT INTO half ${numbers(400)} i % 5, i / 3 FROM n`,
    'CREATE TABLE unique_only (a varbinary(16) NOT NULL, b int, UNIQUE KEY u (a))',
    `INSERT INTO unique_only ${numbers(400)} LEFT(UNHEX(SHA2(i, 224)), 16), i FROM n`,
    'CREATE TABLE empty_one (id int PRIMARY KEY)',
    'ANALYZE TABLE dense, sparse, words, pairs, kinds, half, unique_only',
  ]);
  const progress: CopyProgress[] = [];
  const result = await copyTables(job, { ...quiet, onProgress: (p) => progress.push(p) });
  await expectEqualTables(lab, job);
  expect(progress.at(-1)).toMatchObject({ rows: result.rows, bytes: result.bytes });
  expect(progress.at(-1)?.tables.every((t) => t.done)).toBe(true);
  const chunks = async (name: string) => {
    const table = job.catalog.tables.find((t) => t.name.name === name)!;
    return (await readChunks(lab.onTarget, 'key_kinds', table.name)).chunks.length;
  };
  expect(await chunks('dense')).toBe(10);
  expect(await chunks('words')).toBeGreaterThan(8);
  expect(await chunks('pairs')).toBeGreaterThan(8);
  expect(await chunks('kinds')).toBe(1);
  expect(await chunks('empty_one')).toBe(1);
});

test('a stopped copy goes on with exactly the chunks that were not committed', async () => {
  const job = await prepare(lab, 'resumed', [
    'CREATE TABLE t (id int PRIMARY KEY, v varchar(200))',
    `INSERT INTO t ${numbers(20000)} i, REPEAT('x', 200) FROM n`,
    'CREATE TABLE k (v int)',
    `INSERT INTO k ${numbers(3000)} i % 10 FROM n`,
    'ANALYZE TABLE t, k',
  ]);
  const { name } = job.catalog.tables.find((t) => t.name.name === 't')!;
  const stop = new AbortController();
  const running = copyTables({ ...job, parallel: 2 }, { ...quiet, signal: stop.signal });
  const ended = running.catch((error: unknown) => error);
  const chunksDone = async () =>
    (await readChunks(lab.onTarget, 'resumed', name)).chunks.filter((c) => c.done).length;
  while ((await chunksDone()) < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort(new Error('stopped by the test'));
  expect(await ended).toEqual(new Error('stopped by the test'));

  const before = (await readChunks(lab.onTarget, 'resumed', name)).chunks;
  const done = before.filter((c) => c.done);
  expect(done.length).toBeGreaterThanOrEqual(20);
  expect(done.length).toBeLessThan(200);
  const kept = await lab.onTarget.query('SELECT COUNT(*) AS n FROM resumed.t');
  expect(Number(kept[0]?.['n'])).toBe(done.reduce((n, c) => n + c.rows, 0));
  // A chunk that were copied again would meet its own rows: they are told apart by a mark.
  await lab.onTarget.query("UPDATE resumed.t SET v = 'first run'");

  const result = await copyTables(job, quiet);
  expect(result.rows).toBe(23000);
  const marked = await lab.onTarget.query(
    "SELECT COUNT(*) AS n FROM resumed.t WHERE v = 'first run'",
  );
  expect(Number(marked[0]?.['n'])).toBe(done.reduce((n, c) => n + c.rows, 0));
  const total = await lab.onTarget.query('SELECT COUNT(*) AS n FROM resumed.t');
  expect(Number(total[0]?.['n'])).toBe(20000);
  await expect(copyTables(job, quiet)).resolves.toMatchObject({ rows: 23000 });
});

test('an earlier run stops when another takes the epoch', async () => {
  const job = await prepare(lab, 'epochs', [
    'CREATE TABLE t (id int PRIMARY KEY, v varchar(200))',
    `INSERT INTO t ${numbers(20000)} i, REPEAT('x', 200) FROM n`,
    'ANALYZE TABLE t',
  ]);
  const running = copyTables({ ...job, parallel: 1 }, quiet);
  const ended = running.catch((error: unknown) => error);
  const { name } = job.catalog.tables[0]!;
  const anyDone = async () =>
    (await readChunks(lab.onTarget, 'epochs', name)).chunks.some((chunk) => chunk.done);
  while (!(await anyDone())) await new Promise((resolve) => setTimeout(resolve, 5));
  await acquireEpoch(lab.onTarget, 'epochs');
  expect(await ended).toMatchObject({ code: 'EPOCH_LOST' });
  await copyTables(job, quiet);
  await expectEqualTables(lab, job);
});

test('a table without a key is one snapshot at a known position, duplicates included', async () => {
  const job = await prepare(lab, 'keyless', [
    'CREATE TABLE t (a int, b varchar(20))',
    `INSERT INTO t ${numbers(5000)} i % 3, 'dup' FROM n`,
    'CREATE TABLE m (a int) ENGINE=MyISAM',
    'INSERT INTO m VALUES (1), (1), (2)',
  ]);
  const writing = new AbortController();
  const writer = (async () => {
    for (let i = 0; !writing.signal.aborted; i++) {
      await lab.onSource.query(`INSERT INTO keyless.t VALUES (${1000 + i}, 'later')`);
    }
    return readBinlogEnd(lab.onSource);
  })();
  await copyTables(job, quiet);
  writing.abort();
  await writer;
  const [row] = await lab.onTarget.query(
    "SELECT start_file, start_offset, chunks FROM skyferry.copied_table WHERE migration = 'keyless' AND table_name = 't'",
  );
  expect(row?.['chunks']).toBe(1);
  const [copied] = await lab.onTarget.query(
    "SELECT COUNT(*) AS n, COUNT(IF(b = 'later', 1, NULL)) AS later, MAX(a) AS last FROM keyless.t",
  );
  expect(Number(copied?.['n'])).toBe(5000 + Number(copied?.['later']));
  // As many inserts lie before the stored position as were copied.
  const events = await lab.onSource.query(`SHOW BINLOG EVENTS IN '${String(row?.['start_file'])}'`);
  const before = events.filter((e) => Number(e['End_log_pos']) <= Number(row?.['start_offset']));
  const map = new Map<string, boolean>();
  let inserts = 0;
  for (const event of before) {
    const found = /table_id: (\d+) \((\S+)\)/.exec(String(event['Info']));
    if (found !== null) map.set(found[1]!, found[2] === 'keyless.t');
    if (event['Event_type'] === 'Write_rows') {
      const id = /table_id: (\d+)/.exec(String(event['Info']))?.[1] ?? '';
      if (map.get(id) === true) inserts++;
    }
  }
  // The first insert of 5000 rows fits into several events of 8 KB.
  const [first] = await lab.onSource.query('SELECT @@binlog_row_event_max_size AS size');
  const firstEvents = inserts - Number(copied?.['later']);
  expect(firstEvents).toBeGreaterThan(0);
  expect(firstEvents).toBeLessThan(Math.ceil((5000 * 20) / Number(first?.['size'])) + 2);
  const high = (await readCheckpoint(lab.onTarget, 'keyless'))?.high;
  expect(high?.offset).toBeGreaterThanOrEqual(Number(row?.['start_offset']));
});

test('a value that the target cannot take stops the copy by name, without the value', async () => {
  const job = await prepare(lab, 'inexact', [
    "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), e enum('a'))",
    "INSERT INTO t VALUES (1, 'a secret value', 'a')",
  ]);
  await lab.onTarget.query('ALTER TABLE inexact.t MODIFY v varchar(3)');
  const failure = await copyTables(job, quiet).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'COPY_INEXACT' });
  expect((failure as Error).message).toBe('inexact.t, chunk 0: 1 warnings (codes 1265)');
  expect(await dump(lab.onTarget, job.catalog.tables[0]!)).toEqual([]);

  // A row of the same key that somebody else put there counts as well.
  await lab.onTarget.query('ALTER TABLE inexact.t MODIFY v varchar(20)');
  await lab.onTarget.query("INSERT INTO inexact.t VALUES (1, 'stray', NULL)");
  await expect(copyTables(job, quiet)).rejects.toMatchObject({ code: 'COPY_INEXACT' });
});

test('killed sessions on both sides are opened again, and every row arrives once', async () => {
  const job = await prepare(lab, 'killed', [
    'CREATE TABLE t (id int PRIMARY KEY, v varchar(200))',
    `INSERT INTO t ${numbers(60000)} i, REPEAT('y', 200) FROM n`,
    'ANALYZE TABLE t',
  ]);
  const over = new AbortController();
  const running = copyTables(job, quiet).finally(() => over.abort());
  const killed: string[] = [];
  const killer = (async () => {
    // Often looked for, since a busy machine may run the statements in any of the moments between.
    while (!over.signal.aborted && killed.length < 6) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const side of [lab.onSource, lab.onTarget]) {
        const sessions = await side.query(
          "SELECT id FROM information_schema.processlist WHERE command = 'Query' AND id <> CONNECTION_ID() AND user = 'root'",
        );
        for (const session of sessions) {
          const id = String(session['id']);
          await side.query(`KILL ${id}`).then(
            () => killed.push(id),
            () => {},
          );
        }
      }
    }
  })();
  await running;
  await killer;
  expect(killed).not.toEqual([]);
  await expectEqualTables(lab, job);
});

test('the target waits for long only where one statement looks through a large table', async () => {
  const job = await prepare(lab, 'patient', [
    'CREATE TABLE log (j json, seconds int)',
    'CREATE TABLE cut (id int PRIMARY KEY, j json, seconds int)',
    "INSERT INTO log VALUES ('1', 0)",
    "INSERT INTO cut VALUES (1, '1', 0)",
  ]);
  for (const table of ['log', 'cut']) {
    await lab.onTarget.query(
      `CREATE TRIGGER patient.see_${table} BEFORE INSERT ON patient.${table}
       FOR EACH ROW SET NEW.seconds = @@session.wait_timeout`,
    );
  }
  const tables = job.catalog.tables.map((table) => ({ ...table, estimatedRows: 1_000_000 }));
  await copyTables({ ...job, catalog: { ...job.catalog, tables } }, quiet);
  expect(
    await lab.onTarget.query('SELECT l.seconds AS log, c.seconds AS cut FROM log AS l, cut AS c'),
  ).toEqual([{ log: 3600, cut: 120 }]);
});

test('names are spelled as the target keeps them', async () => {
  const job = await prepare(lab, 'spelled', [
    'CREATE TABLE OrderLine (Id int PRIMARY KEY, `Group` int)',
    'INSERT INTO OrderLine VALUES (1, 2)',
  ]);
  await lab.onTarget.query('RENAME TABLE spelled.OrderLine TO spelled.orderline');
  await copyTables({ ...job, lctn: 1 }, quiet);
  expect(await lab.onTarget.query('SELECT * FROM spelled.orderline')).toEqual([
    { Id: 1, Group: 2 },
  ]);
});

test('a table without a key goes where only safe updates are allowed', async () => {
  const job = await prepare(lab, 'safe', ['CREATE TABLE t (a int)', 'INSERT INTO t VALUES (1)']);
  await lab.onTarget.query('SET GLOBAL sql_safe_updates = ON');
  try {
    await expect(copyTables(job, quiet)).resolves.toMatchObject({ rows: 1 });
  } finally {
    await lab.onTarget.query('SET GLOBAL sql_safe_updates = OFF');
  }
});

test('a table without a key whose writer does not end is named', async () => {
  const job = await prepare(lab, 'held', ['CREATE TABLE t (a int)']);
  await lab.onSource.query('BEGIN');
  await lab.onSource.query('INSERT INTO held.t VALUES (1)');
  const reader = await openRawConnection(lab.source);
  const { signal } = new AbortController();
  const snapshot = snapshotTable(lab.source, reader, job.catalog.tables[0]!, signal);
  await expect(snapshot).rejects.toMatchObject({
    code: 'TRANSIENT',
    message: expect.stringContaining('held.t') as string,
    detail: { next: expect.stringContaining('innodb_trx') as string },
  });
  await lab.onSource.query('COMMIT');
  await reader.close();
});

test('a table without a key is refused by name where it may not be locked', async () => {
  const job = await prepare(lab, 'unlockable', [
    'CREATE TABLE t (a int)',
    'INSERT INTO t VALUES (1)',
  ]);
  await lab.onSource.query("CREATE USER reader@'%' IDENTIFIED BY 'reader'");
  await lab.onSource.query("GRANT SELECT ON unlockable.* TO reader@'%'");
  await lab.onSource.query("GRANT REPLICATION CLIENT ON *.* TO reader@'%'");
  const source = { ...job.source, user: 'reader', password: 'reader' };
  const failure = await copyTables({ ...job, source }, quiet).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'ACCESS_DENIED', detail: { errno: 1044 } });
  expect((failure as Error).message).toContain('unlockable.t');
  await lab.onSource.query("GRANT LOCK TABLES ON unlockable.* TO reader@'%'");
  await expect(copyTables({ ...job, source }, quiet)).resolves.toMatchObject({ rows: 1 });
});
