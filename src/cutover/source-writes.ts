import { randomInt } from 'node:crypto';
import { SkyferryFailure, isFailure } from '../failures.ts';
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

const LOOKED_WITHIN_MS = 30_000;

/** Of somebody whom the fence did not stop: what they wrote since stays on the source, and must be told. */
export async function lateWrites(
  { source, catalog }: { readonly source: Endpoint; readonly catalog: Catalog },
  fencedAt: FilePosition,
): Promise<string[]> {
  const since = `after ${fencedAt.file}:${fencedAt.offset} of the source's binlog`;
  try {
    const signal = AbortSignal.timeout(LOOKED_WITHIN_MS);
    const written = await whatWasWritten(source, catalog, fencedAt, signal);
    if (written === null) return [];
    return [
      `the source took writes behind the fence that may be missing on the target: ${written}, ${since}`,
    ];
  } catch (error) {
    const why = isFailure(error) ? error.message : 'no answer';
    return [`whether the source took writes behind the fence, ${since}, cannot be seen: ${why}`];
  }
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
