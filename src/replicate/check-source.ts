import type { Checkpoint } from '../checkpoint/store.ts';
import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';

/** File and offset order events of one server only. */
export async function checkSource(
  source: Endpoint,
  { sourceUuid }: Checkpoint,
  signal: AbortSignal,
): Promise<void> {
  const [row] = await withConnection(source, { signal }, (connection) =>
    connection.query('SELECT @@server_uuid AS uuid'),
  );
  if (row?.['uuid'] === sourceUuid) return;
  throw new SkyferryFailure(
    'MIGRATION_CONFLICT',
    'the source is another server than the one that the migration began with (its server_uuid differs)',
    { safe: 'nothing was applied from it', next: 'point the migration at the former source' },
  );
}
