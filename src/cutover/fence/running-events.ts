import type { Connection } from '../../mysql/connection.ts';
import type { QualifiedName } from '../../mysql/identifier.ts';

/**
 * Events that the server itself runs, in the migrated schemas: the lock of an account does not stop
 * them. Needs EVENT on these schemas, which the migration's own account has; else they are not seen.
 */
export async function runningEvents(
  source: Connection,
  schemas: readonly string[],
): Promise<QualifiedName[]> {
  const rows = await source.query<{ s: string; n: string }>(
    `SELECT event_schema AS s, event_name AS n FROM information_schema.events
      WHERE status = 'ENABLED' AND @@GLOBAL.event_scheduler = 'ON'
        AND event_schema IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  return rows.map(({ s, n }) => ({ schema: s, name: n }));
}
