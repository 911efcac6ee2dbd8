import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeValue } from '../../../src/mysql/binlog/decode.ts';
import { readBinlog } from '../../../src/mysql/binlog/read-binlog.ts';
import { walkRows } from '../../../src/mysql/binlog/rows.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import { GtidSet } from '../../../src/mysql/gtid-set.ts';
import { openRawConnection } from '../../../src/mysql/open-raw-connection.ts';
import type { TestMysql } from '../../servers.ts';
import { startMysql } from '../../servers.ts';
import { changes, everyType, session } from './every-type.ts';

let server: TestMysql;

beforeAll(async () => {
  server = await startMysql(['--binlog-row-metadata=FULL']);
});

afterAll(() => server.stop());

test('every value is spelled as the server spells it in a result, labels by their numbers', async () => {
  await withConnection(server.endpoint, {}, async (c) => {
    await c.query(`CREATE SCHEMA ${everyType.schema}`);
    await c.query(`USE ${everyType.schema}`);
    await c.query(everyType.create);
    for (const statement of [session, ...changes]) await c.query(statement);
    await c.query('FLUSH BINARY LOGS');
  });
  const before = await withConnection(server.endpoint, {}, async (c) => {
    const [row] = await c.query<{ set: string }>('SELECT @@GLOBAL.gtid_executed AS `set`');
    return GtidSet.parse(row!.set);
  });
  const columns = await withConnection(server.endpoint, {}, (c) =>
    c.query<{ name: string; type: string; whole: string }>(
      'SELECT COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS whole FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY ORDINAL_POSITION',
      [everyType.schema],
    ),
  );
  const shown = await selected(columns);
  await withConnection(server.endpoint, { database: everyType.schema }, (c) =>
    c.query('DELETE FROM every_type ORDER BY id'),
  );
  const logged = await decoded(before, columns);
  expect(logged.length).toBe(shown.length);
  expect(logged.length).toBeGreaterThan(5);
  const spelled = (rows: (Buffer | null)[][]) =>
    rows.map((row) => row.map((value, i) => comparable(columns[i]!, value)));
  expect(spelled(logged)).toEqual(spelled(shown));
});

/** Numbers with exponents have several spellings; JSON is not decoded. */
function comparable({ name, type }: Shown, value: Buffer | null): string {
  if (type === 'json') return name;
  const isApproximate = type === 'float' || type === 'double';
  const text = isApproximate && value !== null ? Number(value) : value?.toString('hex');
  return `${name} ${text ?? 'NULL'}`;
}

interface Shown {
  name: string;
  type: string;
  /** As the column was declared. */
  whole: string;
}

/** As bytes, in the columns' own character sets, in UTC. */
async function selected(columns: readonly Shown[]): Promise<(Buffer | null)[][]> {
  const raw = await openRawConnection(server.endpoint, {
    session: ["SET SESSION time_zone = '+00:00', character_set_results = NULL"],
  });
  const list = columns.map(({ name, type }) => {
    if (type === 'float') return `${name} + 0e0`;
    return type === 'enum' || type === 'set' ? `CAST(${name} AS UNSIGNED)` : name;
  });
  const rows = await raw.rows(
    `SELECT ${list.join(',')} FROM ${everyType.schema}.every_type ORDER BY id`,
  );
  await raw.close();
  return rows;
}

async function decoded(from: GtidSet, columns: readonly Shown[]): Promise<(Buffer | null)[][]> {
  const rows: (Buffer | null)[][] = [];
  const bounds = new Int32Array(2 * columns.length);
  await readBinlog(
    { source: server.endpoint, serverId: 4713, heartbeatMs: 1000, untilEnd: true, from },
    (event) => {
      if (event.type !== 'rows') return;
      const { table, bytes } = event;
      const facts = columns.map(({ type, whole }) => ({
        unsigned: whole.includes('unsigned'),
        binary: type === 'binary',
      }));
      walkRows(event, (start, _split, end) => {
        expect(table.locate(bytes, start, columns.length, bounds)).toBe(end);
        rows.push(
          columns.map(({ type }, i) =>
            type === 'json'
              ? null
              : decodeValue(table, i, facts[i]!, bytes, bounds[2 * i]!, bounds[2 * i + 1]!),
          ),
        );
      });
    },
  );
  return rows;
}
