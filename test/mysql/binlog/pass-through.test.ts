import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection, withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import type { FormatDescriptionEvent, RowsEvent } from '../../../src/mysql/binlog/events.ts';
import { readBinlog } from '../../../src/mysql/binlog/read-binlog.ts';
import { walkRows } from '../../../src/mysql/binlog/rows.ts';
import {
  BinlogStatementWriter,
  encodeTableMap,
  openingStatements,
} from '../../../src/mysql/binlog/write-events.ts';
import { GtidSet } from '../../../src/mysql/gtid-set.ts';
import { startMysqlPair } from '../../servers.ts';
import { changes, everyType, session } from './every-type.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
const targetSchema = 'types_there';
const applier = { user: 'applier', password: 'applies-only' };

beforeAll(async () => {
  servers = await startMysqlPair();
  await withConnection(servers.source, {}, async (c) => {
    await c.query(`CREATE SCHEMA ${everyType.schema}`);
    await c.query(`USE ${everyType.schema}`);
    await c.query(everyType.create);
  });
  await withConnection(servers.target, {}, async (c) => {
    await c.query(`CREATE SCHEMA ${targetSchema}`);
    await c.query(`USE ${targetSchema}`);
    await c.query(everyType.create);
    // Children must not follow when a parent is replaced.
    await c.query(
      'CREATE TABLE child (id BIGINT UNSIGNED PRIMARY KEY, FOREIGN KEY (id) REFERENCES every_type (id) ON DELETE CASCADE)',
    );
    await c.query(`CREATE USER ${applier.user} IDENTIFIED BY '${applier.password}'`);
    await c.query(`GRANT REPLICATION_APPLIER ON *.* TO ${applier.user}`);
    await c.query(`GRANT INSERT, DELETE ON ${targetSchema}.* TO ${applier.user}`);
  });
});

afterAll(() => servers.stop());

test('row images of every type arrive byte for byte, by an account that may insert, delete and replicate', async () => {
  await run(servers.source, everyType.schema, [session, ...changes]);
  const { statements, expected } = await crafted();
  const target = await openConnection({ ...servers.target, ...applier });
  await target.query("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
  // Twice: a replay from an older position ends at the same rows.
  for (let round = 0; round < 2; round++) {
    for (const statement of statements) await target.query(statement);
  }
  await target.close();

  const source = await deletedImages(servers.source, everyType.schema);
  const copied = await deletedImages(servers.target, targetSchema);
  expect(source.length).toBe(expected);
  expect(copied).toEqual(source);
});

test('a replaced parent keeps its children, foreign keys are not checked', async () => {
  await run(servers.source, everyType.schema, [
    'INSERT INTO every_type (id, c_int) VALUES (50, 1), (51, 1)',
    'UPDATE every_type SET c_int = 2 WHERE id = 50',
    'DELETE FROM every_type WHERE id = 51',
  ]);
  const { statements } = await crafted();
  const target = await openConnection({ ...servers.target, ...applier });
  await target.query("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
  await run(servers.target, targetSchema, [
    'INSERT INTO every_type (id) VALUES (50), (51)',
    'INSERT INTO child VALUES (50), (51)',
  ]);
  for (const statement of statements) await target.query(statement);
  await target.close();
  await withConnection(servers.target, { database: targetSchema }, async (c) => {
    expect(await c.query('SELECT id FROM child ORDER BY id')).toEqual([{ id: '50' }, { id: '51' }]);
    expect(await c.query('SELECT id, c_int FROM every_type WHERE id IN (50, 51)')).toEqual([
      { id: '50', c_int: 2 },
    ]);
  });
});

test('rows go into as many statements as the size asks for, and a row that fits into none is refused', async () => {
  const { rows, formatDescription } = await recordedRows();
  const table = rows[0]!.event.table;
  const map = encodeTableMap(table, { schema: targetSchema, name: 'every_type' });
  const writer = new BinlogStatementWriter(200_000);
  const smallRows = rows.filter((row) => row.image.length < 2000);
  expect(smallRows.length).toBeGreaterThan(5);
  writer.open('insert', table, map);
  for (let i = 0; writer.pendingBytes < 500_000; i++) {
    const { image } = smallRows[i % smallRows.length]!;
    writer.row(image, 0, image.length);
  }
  const statements = writer.take();
  expect(statements.length).toBeGreaterThan(1);
  for (const statement of statements) expect(statement.length).toBeLessThanOrEqual(200_000);
  expect(writer.take()).toEqual([]);
  await withConnection({ ...servers.target, ...applier }, {}, async (c) => {
    await c.query("SET SESSION rbr_exec_mode = 'IDEMPOTENT'");
    for (const statement of openingStatements(formatDescription)) await c.query(statement);
    for (const statement of statements) await c.query(statement);
  });

  const tight = new BinlogStatementWriter(4096);
  const large = rows.find((row) => row.image.length > 8000)!;
  tight.open('insert', table, map);
  expect(() => tight.row(large.image, 0, large.image.length)).toThrow(/more than a statement/);
});

interface RecordedRow {
  event: RowsEvent;
  /** What is to be written: of an update the after image. */
  image: Buffer;
  before: Buffer | null;
}

/** Everything that happened to the table so far. */
async function recordedRows(): Promise<{
  rows: RecordedRow[];
  formatDescription: FormatDescriptionEvent;
}> {
  const rows: RecordedRow[] = [];
  let formatDescription: FormatDescriptionEvent | null = null;
  await readBinlog(
    {
      source: servers.source,
      serverId: 4242,
      from: GtidSet.empty,
      heartbeatMs: 1000,
      untilEnd: true,
    },
    (event) => {
      if (event.type === 'format-description') formatDescription ??= event;
      if (event.type !== 'rows' || event.table.name.schema !== everyType.schema) return;
      walkRows(event, (start, split, end) => {
        const update = event.change === 'update';
        rows.push({
          event,
          image: Buffer.from(event.bytes.subarray(update ? split : start, end)),
          before: update ? Buffer.from(event.bytes.subarray(start, split)) : null,
        });
      });
    },
  );
  return { rows, formatDescription: formatDescription! };
}

/** The recorded rows as inserts and deletes alone, as the applier writes them. */
async function crafted(): Promise<{ statements: string[]; expected: number }> {
  const { rows, formatDescription } = await recordedRows();
  const writer = new BinlogStatementWriter(16_000_000);
  for (const { event, image, before } of rows) {
    const map = encodeTableMap(event.table, { schema: targetSchema, name: 'every_type' });
    if (before !== null) {
      writer.open('delete', event.table, map);
      writer.row(before, 0, before.length);
    }
    writer.open(event.change === 'delete' ? 'delete' : 'insert', event.table, map);
    writer.row(image, 0, image.length);
  }
  const count = await withConnection(servers.source, { database: everyType.schema }, (c) =>
    c.query<{ n: number }>('SELECT COUNT(*) AS n FROM every_type'),
  );
  return {
    statements: [...openingStatements(formatDescription), ...writer.take()],
    expected: Number(count[0]?.n),
  };
}

/** What InnoDB holds, as the server itself writes it into its binlog: exact to the byte. */
async function deletedImages(server: Endpoint, schema: string): Promise<string[]> {
  const images: string[] = [];
  const position = await withConnection(server, { database: schema }, async (c) => {
    const [before] = await c.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
    await c.query('DELETE FROM every_type ORDER BY id');
    return GtidSet.parse(before?.set ?? '');
  });
  await readBinlog(
    { source: server, serverId: 4243, from: position, heartbeatMs: 1000, untilEnd: true },
    (event) => {
      if (event.type !== 'rows') return;
      walkRows(event, (start, _split, end) => images.push(event.bytes.toString('hex', start, end)));
    },
  );
  return images;
}

async function run(server: Endpoint, schema: string, statements: readonly string[]) {
  await withConnection(server, { database: schema }, async (c) => {
    for (const statement of statements) await c.query(statement);
  });
}
