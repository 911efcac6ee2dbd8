import { randomInt } from 'node:crypto';
import { SkyferryFailure } from '../failures.ts';
import { readBinlog } from '../mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../mysql/binlog/transactions.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import { judge } from '../replicate/ddl-gate.ts';

const HEARTBEAT_MS = 1000;

/** The first thing that was written to the migrated schemas since a position, as its binlog says; null: nothing. */
export async function whatWasWritten(
  source: Endpoint,
  catalog: Catalog,
  { file, offset }: FilePosition,
  signal: AbortSignal,
): Promise<string | null> {
  const migrated = new Set(catalog.tables.map(({ name }) => displayName(name)));
  const schemas = new Set(catalog.schemas.map(({ name }) => name));
  let written: string | null = null;
  const stop = (what: string): 'stop' => {
    written = what;
    return 'stop';
  };
  await readBinlog(
    {
      source,
      serverId: randomInt(0x6000_0000, 0x7fff_0000),
      from: { file, offset },
      heartbeatMs: HEARTBEAT_MS,
      signal,
      untilEnd: true,
    },
    assembleTransactions({
      wants: ({ name }) => migrated.has(displayName(name)),
      rows: (event) => stop(`rows of ${displayName(event.table.name)}`),
      statement: ({ sql, schema }) => {
        const { kind, what } = judge(sql, schema, schemas);
        return kind === 'pass' ? undefined : stop(what);
      },
      commit: () => undefined,
    }),
  );
  return written;
}

export function wroteBehindFence(what: string): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `somebody whom the fence does not stop writes in the migrated schemas: ${what}`,
    {
      safe: 'nothing was switched; the fence is lowered again',
      next: 'find the account (SHOW PROCESSLIST on the source), name it in cutover.applicationAccounts, then approve again',
    },
  );
}
