import type { Holder } from '../../checkpoint/epoch.ts';
import { raiseHigh } from '../../checkpoint/epoch.ts';
import { withConnection } from '../../mysql/connection.ts';
import { readBinlogEnd } from '../../mysql/watermark.ts';
import type { DmsPlace } from './job.ts';

/** Rows that somebody else has written may be ahead of the position up to the source's end of now. */
export async function raiseHighToEnd(
  { source, target }: Pick<DmsPlace, 'source' | 'target'>,
  holder: Holder,
  signal: AbortSignal,
): Promise<void> {
  const high = await withConnection(source, { signal }, readBinlogEnd);
  const session = ['SET SESSION autocommit = 0'];
  await withConnection(target, { signal, session }, async (connection) => {
    await raiseHigh(connection, holder, high);
    await connection.query('COMMIT');
  });
}
