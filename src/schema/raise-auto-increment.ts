import { text } from '../mysql/catalog/text.ts';
import type { Catalog, Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { QualifiedName } from '../mysql/identifier.ts';
import { displayName, qualify, spelledOn } from '../mysql/identifier.ts';
import { attempt } from './attempt.ts';
import { inTargetSession } from './target-session.ts';

export interface RaisedCounter {
  readonly table: QualifiedName;
  readonly from: string;
  readonly to: string;
}

/**
 * Raises the target's AUTO_INCREMENT counters to the source's real ones where they are lower, so that
 * no value that the source gave away (to rows since deleted, too) is given again. Two queries and one
 * quick ALTER for each counter that is behind.
 */
export async function raiseAutoIncrement(
  source: Endpoint,
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<RaisedCounter[]> {
  const tables = catalog.tables.filter((table) => table.autoIncrement !== null);
  if (tables.length === 0) return [];
  const asOnSource = (table: Table) => table.name;
  const asOnTarget = (table: Table) => spelledOn(table.name, lctn);
  const wanted = await withConnection(
    source,
    {
      ...(signal !== undefined && { signal }),
      session: ['SET SESSION information_schema_stats_expiry = 0'],
    },
    (connection) => readCounters(connection, tables.map(asOnSource)),
  );
  return inTargetSession(target, signal, async (connection) => {
    const now = await readCounters(connection, tables.map(asOnTarget));
    const raised: RaisedCounter[] = [];
    for (const table of tables) {
      const to = wanted.get(displayName(asOnSource(table))) ?? 1n;
      const from = now.get(displayName(asOnTarget(table))) ?? 1n;
      if (from >= to) continue;
      await attempt(`raise the counter of ${displayName(table.name)}`, () =>
        connection.execute(`ALTER TABLE ${qualify(asOnTarget(table))} AUTO_INCREMENT = ${to}`),
      );
      raised.push({ table: table.name, from: String(from), to: String(to) });
    }
    return raised;
  });
}

async function readCounters(
  connection: Connection,
  tables: readonly QualifiedName[],
): Promise<Map<string, bigint>> {
  const schemas = [...new Set(tables.map((table) => table.schema))];
  const rows = await connection.query(
    `SELECT TABLE_SCHEMA AS tableSchema, TABLE_NAME AS tableName, AUTO_INCREMENT AS counter
       FROM information_schema.TABLES
      WHERE AUTO_INCREMENT IS NOT NULL AND TABLE_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  return new Map(
    rows.map((row) => [
      displayName({ schema: text(row['tableSchema']), name: text(row['tableName']) }),
      BigInt(text(row['counter'])),
    ]),
  );
}
