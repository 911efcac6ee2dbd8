import type { ForeignKey } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { displayName, qualify, quoteIdentifier, spelledOn } from '../mysql/identifier.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { attempt, errnoOf } from './attempt.ts';
import { inParallel } from './in-parallel.ts';
import { inTargetSession } from './target-session.ts';

const NO_SUCH_TABLE = [1146, 1049];
const PARALLEL = 4;

export interface Orphans {
  readonly foreignKey: ForeignKey;
  /** Child rows without a parent: more than 0. */
  readonly orphans: number;
}

/**
 * Counts child rows whose parent is missing; returns the foreign keys that have any. As MySQL has it
 * (MATCH SIMPLE), a row with a NULL in the key needs no parent.
 */
export async function findOrphans(
  target: Endpoint,
  foreignKeys: readonly ForeignKey[],
  lctn: number,
  { signal }: { signal: AbortSignal },
): Promise<Orphans[]> {
  const found = new Map<ForeignKey, number>();
  await inParallel(foreignKeys, PARALLEL, signal, (foreignKey, either) =>
    inTargetSession(target, either, async (connection) => {
      const orphans = await attempt(`check foreign key ${foreignKey.name}`, () =>
        countOrphans(connection, foreignKey, lctn),
      );
      if (orphans > 0) found.set(foreignKey, orphans);
    }),
  );
  return foreignKeys.flatMap((foreignKey) => {
    const orphans = found.get(foreignKey);
    return orphans === undefined ? [] : [{ foreignKey, orphans }];
  });
}

async function countOrphans(
  connection: Connection,
  key: ForeignKey,
  lctn: number,
): Promise<number> {
  const child = qualify(spelledOn(key.table, lctn));
  const parent = qualify(spelledOn(key.referencedTable, lctn));
  const filled = key.columns
    .map((column) => `c.${quoteIdentifier(column)} IS NOT NULL`)
    .join(' AND ');
  const same = key.columns
    .map(
      (column, at) =>
        `p.${quoteIdentifier(key.referencedColumns[at] ?? '')} = c.${quoteIdentifier(column)}`,
    )
    .join(' AND ');
  const count = async (where: string) => {
    const [row] = await connection.query(`SELECT COUNT(*) AS n FROM ${child} c WHERE ${where}`);
    return Number(row?.['n']);
  };
  try {
    return await count(`${filled} AND NOT EXISTS (SELECT 1 FROM ${parent} p WHERE ${same})`);
  } catch (error) {
    if (!NO_SUCH_TABLE.includes(errnoOf(error) ?? 0)) throw error;
    // Fails again when it is the child that is missing: that is no matter of orphans.
    return attempt(`the parent ${displayName(key.referencedTable)} is missing`, () =>
      count(filled),
    );
  }
}
