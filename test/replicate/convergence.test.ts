import { afterAll, beforeAll, expect, test } from 'vitest';
import { raiseHigh } from '../../src/checkpoint/epoch.ts';
import { requireCheckpoint } from '../../src/checkpoint/store.ts';
import type { Value } from '../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import { qualify, quoteIdentifier, spelledOn } from '../../src/mysql/identifier.ts';
import { readBinlogEnd } from '../../src/mysql/watermark.ts';
import { startMysqlPair } from '../servers.ts';
import type { Migration } from './lab.ts';
import { beginMigration, catchUp, differences, finishSchema, LCTN } from './lab.ts';
import { workloadSchemas, workloadTables, writeRandomly } from './workload.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

test.each([1, 2, 3])('rows copied long after the starting position converge (%i)', async (seed) => {
  const migration = await beginMigration(servers, 'late', workloadSchemas, workloadTables, {
    indexes: false,
    batchRows: 50,
  });
  await writeRandomly(servers.source, seed, 150);
  const written = writeRandomly(servers.source, seed + 100, 300);
  await copyByPieces(migration);
  await written;
  const { high } = await withConnection(servers.target, {}, (c) => requireCheckpoint(c, 'late'));
  expect(high).not.toBeNull();
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
  await finishSchema(servers.target, migration.catalog, 'late');
  await writeRandomly(servers.source, seed + 200, 100);
  await catchUp(migration);
  expect(await differences(migration)).toEqual({});
});

/** A crude copy: the pieces of one table are read at different times, without any consistency. */
async function copyByPieces({ catalog }: Migration): Promise<void> {
  await using source = await openConnection(servers.source);
  await using target = await openConnection(servers.target, {
    session: ["SET SESSION foreign_key_checks = 0, sql_mode = ''"],
  });
  const { epoch } = await requireCheckpoint(target, 'late');
  for (const table of catalog.tables) {
    const columns = table.columns.filter(({ generated }) => generated === null);
    const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const into = qualify(spelledOn(table.name, LCTN));
    if (table.rowKey === null) {
      await source.query(`LOCK TABLES ${qualify(table.name)} READ`);
      const start = await readBinlogEnd(source);
      await target.execute(
        `REPLACE INTO skyferry.copied_table
           (migration, schema_name, table_name, start_file, start_offset) VALUES ('late', ?, ?, ?, ?)`,
        [table.name.schema, table.name.name, start.file, start.offset],
      );
    }
    const pieces =
      table.rowKey === null ? ['TRUE'] : [0, 1, 2].map((n) => `${pieceOf(names)} = ${n}`);
    for (const where of pieces) {
      const rows = await source.query(`SELECT ${names} FROM ${qualify(table.name)} WHERE ${where}`);
      const high = await readBinlogEnd(source);
      for (const row of rows) {
        const values = columns.map(({ name, dataType }) =>
          dataType === 'json' && row[name] !== null ? JSON.stringify(row[name]) : row[name],
        ) as Value[];
        await target.execute(`REPLACE INTO ${into} (${names}) VALUES (?)`, [values as never]);
      }
      await target.query('BEGIN');
      await raiseHigh(target, { name: 'late', epoch }, high);
      await target.query('COMMIT');
    }
    await source.query('UNLOCK TABLES');
  }
}

/**
 * By the first column's text, so that a row whose key moves may be read twice or not at all: twice
 * even under the same key, when only its case has changed. Hence the REPLACE above.
 */
function pieceOf(names: string): string {
  return `CRC32(HEX(${names.split(', ')[0]})) % 3`;
}
