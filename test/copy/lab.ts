import { createCheckpoint, createCheckpointSchema } from '../../src/checkpoint/take-name.ts';
import type { CopyJob } from '../../src/copy/job.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import type { Column, Table } from '../../src/mysql/catalog/types.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import { qualify, quoteIdentifier, spelledOn } from '../../src/mysql/identifier.ts';
import { startMysqlPair } from '../servers.ts';

export const utc = [
  "SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
  'SET SESSION foreign_key_checks = 0, group_concat_max_len = 1000000000, cte_max_recursion_depth = 10000000',
];

export type Lab = Awaited<ReturnType<typeof startLab>>;

/** Two servers and an open session on each. */
export async function startLab(options: Parameters<typeof startMysqlPair>[0] = {}) {
  const pair = await startMysqlPair(options);
  const source = await openConnection(pair.source, { session: utc });
  const target = await openConnection(pair.target, { session: utc });
  await createCheckpointSchema(target);
  return {
    ...pair,
    onSource: source,
    onTarget: target,
    stop: async () => {
      await Promise.all([source.close(), target.close()]);
      await pair.stop();
    },
  };
}

/** Makes the schema on both sides with the source's tables, and a migration of its own. */
export async function prepare(
  lab: Lab,
  schema: string,
  statements: readonly string[],
  options: Partial<CopyJob> = {},
): Promise<CopyJob> {
  await lab.onSource.query(`CREATE DATABASE ${schema}`);
  await lab.onSource.query(`USE ${schema}`);
  for (const statement of statements) await lab.onSource.query(statement);
  const catalog = await readCatalog(lab.onSource, [schema]);
  await lab.onTarget.query(`CREATE DATABASE ${schema}`);
  await lab.onTarget.query(`USE ${schema}`);
  for (const table of catalog.tables) {
    await lab.onTarget.query(table.createStatement);
  }
  await createCheckpoint(lab.onTarget, {
    name: schema,
    configHash: 'a'.repeat(64),
    workflowRun: 'test',
    sourceUuid: 'b'.repeat(36),
  });
  return {
    source: lab.source,
    target: lab.target,
    catalog,
    migration: schema,
    lctn: 0,
    parallel: 3,
    chunkRows: 100,
    ...options,
  };
}

/** Every stored value as text that tells all values apart, sorted, computed by the server itself. */
export async function dump(connection: Connection, table: Table, lctn = 0): Promise<string[]> {
  const fields = table.columns.map((column) => `COALESCE(${shown(column)}, 'NULL')`);
  const rows = await connection.query(
    `SELECT CONCAT_WS(';', ${fields.join(', ')}) AS r FROM ${qualify(spelledOn(table.name, lctn))}`,
  );
  return rows.map((row) => String(row['r'])).sort();
}

function shown(column: Column): string {
  const name = quoteIdentifier(column.name);
  switch (column.dataType) {
    case 'float':
    case 'double':
      return `CAST(${name} * 1e0 AS CHAR)`;
    case 'enum':
    case 'set':
    case 'bit':
      return `CAST(${name} AS UNSIGNED)`;
    case 'json':
      return `CONCAT(JSON_TYPE(${name}), HEX(CONVERT(${name} USING utf8mb4)))`;
    case 'geometry':
    case 'point':
    case 'polygon':
      return `CONCAT(ST_SRID(${name}), HEX(ST_AsBinary(${name})))`;
    case 'vector':
      return `HEX(${name})`;
    default:
      return `HEX(CAST(${name} AS BINARY))`;
  }
}

export async function expectEqualTables(lab: Lab, job: CopyJob): Promise<void> {
  for (const table of job.catalog.tables) {
    const [left, right] = await Promise.all([
      dump(lab.onSource, table),
      dump(lab.onTarget, table, job.lctn),
    ]);
    if (left.length !== right.length) {
      throw new Error(`${table.name.name}: ${left.length} rows, ${right.length} on the target`);
    }
    const at = left.findIndex((row, i) => row !== right[i]);
    if (at >= 0)
      throw new Error(
        `${table.name.name}:\n  ${left[at]?.slice(0, 500)}\n  ${right[at]?.slice(0, 500)}`,
      );
  }
}
