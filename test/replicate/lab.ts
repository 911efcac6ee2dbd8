import { acquireEpoch, raiseHigh } from '../../src/checkpoint/epoch.ts';
import { removeCheckpoint, setStartPosition } from '../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../src/checkpoint/take-name.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import type { Catalog, Column, Table } from '../../src/mysql/catalog/types.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { displayName, qualify, quoteIdentifier, spelledOn } from '../../src/mysql/identifier.ts';
import type { FilePosition, Position } from '../../src/mysql/position.ts';
import { readBinlogEnd, readExecuted } from '../../src/mysql/watermark.ts';
import type { ApplyJob } from '../../src/replicate/apply-changes.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { buildIndexes } from '../../src/schema/build-indexes.ts';
import { createSchemas } from '../../src/schema/create-schemas.ts';
import { createTables } from '../../src/schema/create-tables.ts';
import { addForeignKeys } from '../../src/schema/foreign-keys.ts';
import type { ApplyProgress } from '../../src/workflows/messages.ts';

export const LCTN = 1;

export interface Migration {
  readonly job: ApplyJob;
  readonly catalog: Catalog;
  readonly start: Position;
}

/** Makes the schema on both servers and the checkpoint of a migration that begins now. */
export async function beginMigration(
  servers: { source: Endpoint; target: Endpoint },
  name: string,
  schemas: readonly string[],
  statements: readonly string[],
  options: { indexes?: boolean; batchRows?: number; lctn?: 0 | 1 } = {},
): Promise<Migration> {
  const { source, target } = servers;
  const lctn = options.lctn ?? LCTN;
  const [catalog, start, sourceUuid] = await withConnection(source, {}, async (c) => {
    await c.query('SET SESSION foreign_key_checks = 0');
    for (const schema of schemas) {
      await c.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(schema)}`);
      await c.query(`CREATE DATABASE ${quoteIdentifier(schema)}`);
    }
    await c.query(`USE ${quoteIdentifier(schemas[0] ?? '')}`);
    await c.query('SET SESSION foreign_key_checks = 1');
    for (const statement of statements) await c.query(statement);
    const [row] = await c.query('SELECT @@server_uuid AS uuid');
    return [await readCatalog(c, schemas), await readExecuted(c), String(row?.['uuid'])] as const;
  });
  await withConnection(target, {}, async (c) => {
    await c.query('SET SESSION foreign_key_checks = 0');
    for (const schema of schemas) {
      const spelled = lctn === 1 ? schema.toLowerCase() : schema;
      await c.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(spelled)}`);
    }
    await removeCheckpoint(c, name);
    await createCheckpoint(c, { name, configHash: 'c', workflowRun: 'w', sourceUuid });
    await setStartPosition(c, name, start);
    await acquireEpoch(c, name);
  });
  await createSchemas(target, catalog, lctn);
  await createTables(target, catalog, lctn);
  if (options.indexes !== false) await finishSchema(target, catalog, name, lctn);
  const job = {
    source,
    target,
    catalog,
    migration: name,
    lctn,
    batchRows: options.batchRows ?? 1000,
  };
  return { job, catalog, start };
}

export async function finishSchema(
  target: Endpoint,
  catalog: Catalog,
  migration: string,
  lctn: number = LCTN,
) {
  const job = { target, catalog, lctn, migration, parallel: 2 };
  const options = { signal: new AbortController().signal, onProgress: () => {} };
  await buildIndexes(job, options);
  await addForeignKeys(job, options);
}

/** Applies everything that the source has now. */
export async function catchUp(
  { job }: Migration,
  onProgress: (progress: ApplyProgress) => void = () => {},
): Promise<Position> {
  const until = await binlogEnd(job.source);
  const signal = AbortSignal.timeout(60_000);
  return applyChanges({ ...job, until }, { signal, onProgress });
}

export function binlogEnd(source: Endpoint): Promise<FilePosition> {
  return withConnection(source, {}, readBinlogEnd);
}

/** As if a chunk had been read now: everything before now may be ahead of the position. */
export async function raiseHighToNow({ job }: Migration): Promise<void> {
  const high = await binlogEnd(job.source);
  await using target = await openConnection(job.target);
  const epoch = await acquireEpoch(target, job.migration);
  await target.query('BEGIN');
  await raiseHigh(target, { name: job.migration, epoch }, high);
  await target.query('COMMIT');
}

/** By table: how many rows only the source and only the target has. Equal tables are not named. */
export async function differences({
  job,
  catalog,
}: Pick<Migration, 'job' | 'catalog'>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const session = ["SET SESSION time_zone = '+00:00'"];
  await withConnection(job.source, { session }, (source) =>
    withConnection(job.target, { session }, async (target) => {
      for (const table of catalog.tables) {
        const left = await readRows(source, table, 0);
        const right = await readRows(target, table, job.lctn);
        const difference = subtract(left, right);
        if (difference !== '0 missing, 0 extra') found[displayName(table.name)] = difference;
      }
    }),
  );
  return found;
}

export async function countRows(endpoint: Endpoint, table: string): Promise<number> {
  const rows = await withConnection(endpoint, {}, (c) =>
    c.query(`SELECT COUNT(*) AS n FROM ${table}`),
  );
  return Number(rows[0]?.['n']);
}

async function readRows(c: Connection, table: Table, lctn: number): Promise<string[]> {
  const columns = table.columns.map(exactly).join(", '|', ");
  const rows = await c.query(
    `SELECT CONCAT(${columns}) AS row_text FROM ${qualify(spelledOn(table.name, lctn))}`,
  );
  return rows.map((row) => String(row['row_text']));
}

function exactly({ name, dataType }: Column): string {
  const quoted = quoteIdentifier(name);
  const text = dataType === 'float' ? `(${quoted} + 0e0)` : quoted;
  return `COALESCE(HEX(CAST(${text} AS CHAR CHARACTER SET binary)), 'NULL')`;
}

function subtract(left: string[], right: string[]): string {
  const counts = new Map<string, number>();
  for (const row of left) counts.set(row, (counts.get(row) ?? 0) + 1);
  for (const row of right) counts.set(row, (counts.get(row) ?? 0) - 1);
  let missing = 0;
  let extra = 0;
  for (const count of counts.values()) {
    if (count > 0) missing += count;
    else extra -= count;
  }
  return `${missing} missing, ${extra} extra`;
}

export async function run(endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await using connection = await openConnection(endpoint);
  for (const statement of statements) await connection.query(statement);
}
