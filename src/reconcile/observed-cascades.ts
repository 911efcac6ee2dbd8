import { randomInt } from 'node:crypto';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import { walkRows } from '../mysql/binlog/rows.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { GtidSet } from '../mysql/gtid-set.ts';
import type { FilePosition, Position } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';
import { covers } from '../mysql/covers.ts';
import { keyTextOf, sameKey } from '../replicate/key-text.ts';
import type { CascadingKey, ReplicatedTables } from '../replicate/replicated-tables.ts';
import type { CascadeRoot } from './tables-at-risk.ts';

const HEARTBEAT_MS = 1000;
const PROGRESS_MS = 1000;

/**
 * The cascades that logged changes started between two positions without being logged themselves.
 * `to` is a position that the source has reached.
 */
export async function observeCascades(
  tables: ReplicatedTables,
  { source, from, to }: { source: Endpoint; from: Position; to: FilePosition | Position },
  { signal, onProgress }: { signal: AbortSignal; onProgress: (at: FilePosition) => void },
): Promise<CascadeRoot[]> {
  if (covers(from, to)) return [];
  const seen = { delete: new Set<CascadingKey>(), update: new Set<CascadingKey>() };
  let reportAt = 0;
  const onEvent = assembleTransactions({
    wants: ({ name }) => (tables.find(name)?.cascades.length ?? 0) > 0,
    rows: (event) => {
      const { change, table: shape, bytes } = event;
      const table = tables.find(shape.name);
      if (table === undefined || change === 'insert') return;
      if (event.noForeignKeyChecks || event.cascadesLogged) return;
      const open = table.cascades.filter((key) => !seen[change].has(key));
      if (open.length === 0) return;
      walkRows(event, (start, split) => {
        for (const key of open) {
          const read = (at: number) => keyTextOf(table.table, shape, key.parentColumns, bytes, at);
          if (change === 'delete' || !sameKey(read(start), read(split))) seen[change].add(key);
        }
      });
    },
    // The applier, which has passed here, judges statements and what was prepared before.
    statement: () => undefined,
    wasPreparedElsewhere: () => true,
    commit: ({ file, offset }) => {
      if (compareFilePositions({ file, offset }, to) >= 0) return 'stop';
      if (performance.now() < reportAt) return undefined;
      reportAt = performance.now() + PROGRESS_MS;
      onProgress({ file, offset });
      return undefined;
    },
  });
  await readBinlog(
    {
      source,
      serverId: randomInt(0x6000_0000, 0x7fff_0000),
      from: GtidSet.parse(from.gtidSet),
      heartbeatMs: HEARTBEAT_MS,
      signal,
      untilEnd: true,
    },
    onEvent,
  );
  return (['delete', 'update'] as const).flatMap((change) =>
    [...seen[change]].map(({ foreignKey }) => ({ foreignKey, change })),
  );
}
