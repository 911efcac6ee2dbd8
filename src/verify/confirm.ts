import { displayName } from '../mysql/identifier.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Position } from '../mysql/position.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';
import { ReplicatedTables } from '../replicate/replicated-tables.ts';
import type { Comparison } from './comparison.ts';
import type { Standing } from './settle.ts';
import { keyIdentity, readTouched } from './touched-rows.ts';

/**
 * A row that seems to stand still may have changed to and fro between the looks. What the source has
 * touched since `position` is left unsettled instead of being called a difference: the next comparison
 * goes on from there and looks at it. (A change by an unlogged cascade is no excuse: it has no trace,
 * so the next comparison might pass over it.)
 */
export async function confirm(
  comparison: Comparison,
  control: Connection,
  position: Position,
  standing: readonly Standing[],
): Promise<void> {
  const { findings, job, signal, atRest } = comparison;
  const touched = new Set<string>();
  if (standing.length > 0 && !atRest) {
    const suspects = new Set(standing.map(identityOf));
    const tables = new ReplicatedTables(job.catalog, job.lctn, new Map());
    const to = await readBinlogEnd(control);
    await readTouched(tables, { source: job.source, from: position, to, signal }, async (batch) => {
      for (const { table } of batch.whole) touched.add(identity(table.name, null));
      for (const [{ table }, keys] of batch.keys) {
        for (const key of keys.keys()) {
          const id = identity(table.name, key);
          if (suspects.has(id)) touched.add(id);
        }
      }
    });
  }
  for (const suspect of standing) {
    const { form, key, label, kind } = suspect;
    findings.standing--;
    const confirmed = !touched.has(identityOf(suspect));
    if (confirmed) findings.differ(form.table.name, label, kind);
    else findings.leaveUnsettled(form.table.name, label);
    comparison.onDifference?.({ table: form.table, key, confirmed });
  }
}

function identityOf({ form, key }: Standing): string {
  return identity(form.table.name, key === null ? null : keyIdentity(key));
}

function identity(table: Parameters<typeof displayName>[0], key: string | null): string {
  return JSON.stringify([displayName(table), key]);
}
