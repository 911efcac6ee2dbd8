import { randomInt } from 'node:crypto';
import type { Endpoint } from '../endpoint.ts';
import { withConnection } from '../connection.ts';
import type { FilePosition } from '../position.ts';
import { compareFilePositions } from '../position.ts';
import { readBinlog } from './read-binlog.ts';
import type { TableMap } from './table-map.ts';

const HEARTBEAT_MS = 1000;

/**
 * Looks back from the commit of an XA transaction for where it was prepared, from the latest file to the
 * first: whether it changed nothing but tables that are not wanted. False too when its binlog is gone.
 */
export async function wasPreparedElsewhere(
  source: Endpoint,
  xid: string,
  commit: FilePosition,
  wants: (table: TableMap) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const files = await withConnection(source, { signal }, (c) =>
    c.query<{ Log_name: string }>('SHOW BINARY LOGS'),
  );
  for (const { Log_name: file } of files.toReversed()) {
    if (compareFilePositions({ file, offset: 0 }, commit) > 0) continue;
    let elsewhere: boolean | null = null;
    let wanted = false;
    await readBinlog(
      {
        source,
        serverId: randomInt(0x6000_0000, 0x7fff_0000),
        from: { file, offset: 4 },
        heartbeatMs: HEARTBEAT_MS,
        signal,
        untilEnd: true,
      },
      (event) => {
        if (event.file !== file || compareFilePositions(event, commit) >= 0) return 'stop';
        if (event.type === 'gtid') wanted = false;
        if (event.type === 'rows') wanted ||= wants(event.table);
        // A name may have been used before: the last one counts.
        if (event.type === 'xa-prepare' && event.xid === xid) elsewhere = !wanted;
        return undefined;
      },
    );
    if (elsewhere !== null) return elsewhere;
  }
  return false;
}
