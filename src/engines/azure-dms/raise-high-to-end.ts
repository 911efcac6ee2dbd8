import type { Holder } from '../../checkpoint/epoch.ts';
import { raiseHigh } from '../../checkpoint/epoch.ts';
import { withConnection } from '../../mysql/connection.ts';
import { readBinlogEnd } from '../../mysql/watermark.ts';
import type { DmsPlace } from './job.ts';
import { rememberDms } from './memory.ts';

/**
 * Rows that the service has written may be ahead of the position up to the source's end of now. Noted
 * together with `why`, or not at all when another has taken over (EPOCH_LOST).
 */
export async function raiseHighToEnd(
  { source, target, migration }: Pick<DmsPlace, 'source' | 'target' | 'migration'>,
  holder: Holder,
  why: { readonly loaded: string } | { readonly takingOver: string },
  signal: AbortSignal,
): Promise<void> {
  const high = await withConnection(source, { signal }, readBinlogEnd);
  const session = ['SET SESSION autocommit = 0'];
  await withConnection(target, { signal, session }, async (connection) => {
    await raiseHigh(connection, holder, high);
    await rememberDms(connection, migration, why);
    await connection.execute('COMMIT');
  });
}
