import type { Connection } from '../mysql/connection.ts';
import type { Holder } from './epoch.ts';
import { assertEpoch } from './epoch.ts';
import { touched } from './store.ts';

/**
 * The checkpoint as it was before anything was copied: no position, no chunks. What was remembered of the
 * servers (retention, what an engine has used up of its names) stays. EPOCH_LOST when another took over.
 */
export async function forgetProgress(target: Connection, holder: Holder): Promise<void> {
  await target.query('START TRANSACTION');
  try {
    // Before anything is deleted: a successor may have begun to copy.
    await assertEpoch(target, holder);
    await forget(target, holder.name);
    await target.query('COMMIT');
  } catch (error) {
    await target.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function forget(target: Connection, name: string): Promise<void> {
  for (const table of ['copied_chunk', 'copied_table']) {
    await target.execute(`DELETE FROM skyferry.${table} WHERE migration = ?`, [name]);
  }
  await target.execute(
    `UPDATE skyferry.migration
     SET gtid_set = NULL, binlog_file = NULL, binlog_offset = NULL, high_file = NULL,
         high_offset = NULL, source_time = NULL, lag_ms = NULL, catalog_hash = NULL,
         transactions = 0, row_changes = 0,
         remembered = JSON_REMOVE(COALESCE(remembered, JSON_OBJECT()), '$.convergesFrom', '$.verification'),
         ${touched}
     WHERE name = ?`,
    [name],
  );
}
