import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/mysql/connection.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { qualify } from '../../../src/mysql/identifier.ts';
import { createSampleDatabase } from '../../../src/sandbox/sample/create-sample-database.ts';
import { sampleSchemas } from '../../../src/sandbox/sample/schemas.ts';
import { startMysql } from '../../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
let admin: Endpoint;

beforeAll(async () => {
  server = await startMysql();
  admin = server.endpoint;
});
afterAll(() => server.stop());

const create = (scale: number, seed: number) =>
  createSampleDatabase(admin, {
    scale,
    seed,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

describe('the sample database', () => {
  test('the same seed gives the same rows, another one others', async () => {
    const first = await create(0.05, 7);
    const digest = await withConnection(admin, {}, digestOfRows);
    const second = await create(0.05, 7);
    expect(second.rows).toBe(first.rows);
    expect(await withConnection(admin, {}, digestOfRows)).toBe(digest);
    await create(0.05, 8);
    expect(await withConnection(admin, {}, digestOfRows)).not.toBe(digest);
  });

  test('scale 1 is some ten thousand rows', async () => {
    const { rows } = await create(1, 1);
    expect(rows).toBeGreaterThan(60_000);
    expect(rows).toBeLessThan(100_000);
  });

  test('holds every shape that a migration can trip over', async () => {
    await create(0.05, 7);
    await withConnection(admin, { session: ["SET sql_mode = ''"] }, async (connection) => {
      const count = async (sql: string) =>
        Number(Object.values((await connection.query(sql))[0] ?? {})[0]);
      const inSample = (column: string) => `${column} IN ('brokerage', 'batch', 'scheduler')`;
      const objects = {
        tables: await count(`SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ${inSample('TABLE_SCHEMA')}`), // prettier-ignore
        views: await count(`SELECT COUNT(*) FROM information_schema.VIEWS WHERE ${inSample('TABLE_SCHEMA')}`), // prettier-ignore
        routines: await count(`SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ${inSample('ROUTINE_SCHEMA')}`), // prettier-ignore
        triggers: await count(`SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE ${inSample('TRIGGER_SCHEMA')}`), // prettier-ignore
        enabledEvents: await count(`SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS = 'ENABLED' AND ${inSample('EVENT_SCHEMA')}`), // prettier-ignore
        disabledEvents: await count(`SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS = 'DISABLED' AND ${inSample('EVENT_SCHEMA')}`), // prettier-ignore
        checks: await count(`SELECT COUNT(*) FROM information_schema.CHECK_CONSTRAINTS WHERE ${inSample('CONSTRAINT_SCHEMA')}`), // prettier-ignore
        withoutKey: await count(`SELECT COUNT(*) FROM information_schema.TABLES t WHERE t.TABLE_TYPE = 'BASE TABLE' AND ${inSample('t.TABLE_SCHEMA')}
          AND NOT EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME AND c.CONSTRAINT_TYPE IN ('PRIMARY KEY', 'UNIQUE'))`), // prettier-ignore
      };
      expect(objects).toEqual({ tables: 31, views: 7, routines: 6, triggers: 6, enabledEvents: 2, disabledEvents: 2, checks: 2, withoutKey: 2 }); // prettier-ignore
      const crossing = await count(`SELECT COUNT(*) FROM information_schema.KEY_COLUMN_USAGE WHERE ${inSample('TABLE_SCHEMA')} AND REFERENCED_TABLE_SCHEMA <> TABLE_SCHEMA`); // prettier-ignore
      expect(crossing).toBe(2);
      expect(
        await connection.query('SELECT DISTINCT CONCAT(DELETE_RULE, "/", UPDATE_RULE) AS rules FROM information_schema.REFERENTIAL_CONSTRAINTS ORDER BY rules'), // prettier-ignore
      ).toEqual(['CASCADE/CASCADE', 'CASCADE/NO ACTION', 'NO ACTION/CASCADE', 'NO ACTION/NO ACTION', 'SET NULL/CASCADE', 'SET NULL/NO ACTION'].map((rules) => ({ rules }))); // prettier-ignore
      expect(await count('SELECT COUNT(*) FROM brokerage.account WHERE id = 18446744073709551615')).toBe(1); // prettier-ignore
      expect(await count("SELECT COUNT(*) FROM batch.legacy_account WHERE opened_on = '2020-00-00' OR grade = 0")).toBe(2); // prettier-ignore
      expect(await count('SELECT COUNT(*) FROM (SELECT 1 FROM brokerage.tape GROUP BY source, tag, price, size, flags HAVING COUNT(*) > 1) repeated')).toBeGreaterThan(5); // prettier-ignore
      const definers = await connection.query(
        "SELECT DISTINCT SUBSTRING_INDEX(DEFINER, '@', 1) AS definer FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'brokerage' ORDER BY definer",
      );
      expect(definers.map(({ definer }) => definer)).toEqual(['brokerage_dba', 'brokerage_owner', 'departed']); // prettier-ignore
    });
  });
});

/** Every row of every table but the one that an event writes, in the order of the first columns. */
async function digestOfRows(connection: Connection): Promise<string> {
  await connection.execute("SET time_zone = '+00:00'");
  const hash = createHash('sha256');
  const tables = await connection.query(
    `SELECT TABLE_SCHEMA AS \`schema\`, TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN (${sampleSchemas.map(() => '?').join()}) ORDER BY 1, 2`,
    sampleSchemas,
  );
  for (const table of tables) {
    const name = { schema: String(table['schema']), name: String(table['name']) };
    if (name.name === 'event_tick') continue;
    hash.update(JSON.stringify(await connection.query(`SELECT * FROM ${qualify(name)} ORDER BY 1, 2`))); // prettier-ignore
  }
  return hash.digest('hex');
}
