import { readCheckpoint, remember } from '../../checkpoint/store.ts';
import { setRdsRetention } from '../../mysql/binlog-retention.ts';
import type { Connection } from '../../mysql/connection.ts';

/**
 * What is to be put back at the end is remembered on the target before the first change, and only once.
 * Hours; null: not set.
 */
export async function raiseRdsRetention(
  { source, target }: { readonly source: Connection; readonly target: Connection },
  name: string,
  { from, to }: { readonly from: number | null; readonly to: number },
): Promise<void> {
  const checkpoint = await readCheckpoint(target, name);
  if (checkpoint?.remembered['retention'] === undefined) {
    // Text, because a merged null would take the memory away instead of remembering "not set".
    await remember(target, name, { retention: from === null ? 'not set' : String(from) });
  }
  await setRdsRetention(source, to);
}
