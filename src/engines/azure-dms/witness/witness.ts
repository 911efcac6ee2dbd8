import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Holder } from '../../../checkpoint/epoch.ts';
import { assertEpoch } from '../../../checkpoint/epoch.ts';
import { requireCheckpoint } from '../../../checkpoint/store.ts';
import { SkyferryFailure } from '../../../failures.ts';
import { readBinlog } from '../../../mysql/binlog/read-binlog.ts';
import { assembleTransactions } from '../../../mysql/binlog/transactions.ts';
import type { Catalog } from '../../../mysql/catalog/types.ts';
import { withConnection } from '../../../mysql/connection.ts';
import type { Endpoint } from '../../../mysql/endpoint.ts';
import { GtidSet } from '../../../mysql/gtid-set.ts';
import type { Position } from '../../../mysql/position.ts';
import { checkSource } from '../../../replicate/check-source.ts';
import { ReplicatedTables } from '../../../replicate/replicated-tables.ts';
import { withPairs } from '../../../verify/session.ts';
import { Marks } from './marks.ts';
import { SourceReader } from './source-reader.ts';
import type { ChangeCounter } from './table-history.ts';
import type { WitnessOptions } from './watcher.ts';
import { Watcher } from './watcher.ts';

interface WitnessJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly catalog: Catalog;
  /** Its checkpoint holds the position to go on from. */
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
}

const HEARTBEAT_MS = 1000;
const MOST_PAIRS = 4;

/**
 * Sees how far somebody else applies the source's changes who tells no position, and keeps the checkpoint
 * there. Reads the source's binlog and looks whether the rows that changed last in each table are on the
 * target; so it rests on each table's changes being applied in the order of the binlog. Tables without a
 * key are not watched: that their changes have arrived, only a comparison of whole tables can tell. Nor does
 * anything show whether changes have arrived that undid each other.
 *
 * Resolves with the position once `until` is seen; without it runs until aborted (rejects with the
 * signal's reason). Other failures: EPOCH_LOST, SCHEMA_CHANGED, ROWS_DIFFER, BINLOG_*, and
 * CONNECTION_LOST or TRANSIENT, after which it may be called again.
 */
export async function witness(
  job: WitnessJob,
  holder: Holder,
  options: WitnessOptions,
): Promise<Position> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  setMaxListeners(0, signal);
  return await withConnection(job.target, { signal }, async (target) => {
    // Waits until no COMMIT of a lost applier's session can happen any more.
    await assertEpoch(target, holder);
    const checkpoint = await requireCheckpoint(target, job.migration);
    const { position } = checkpoint;
    if (position === null) throw new SkyferryFailure('INTERNAL', 'no starting position');
    await checkSource(job.source, checkpoint, options.signal);

    const counter: ChangeCounter = { read: 0, confirmed: 0 };
    const marks = new Marks(counter);
    const tables = new ReplicatedTables(job.catalog, job.lctn, new Map());
    const reader = new SourceReader({ tables, lctn: job.lctn, from: position, counter, marks });
    const reading = readBinlog(
      {
        source: job.source,
        serverId: randomInt(2 ** 31, 2 ** 32 - 1),
        from: GtidSet.parse(position.gtidSet),
        heartbeatMs: HEARTBEAT_MS,
        signal,
      },
      assembleTransactions(reader),
    );
    reading.catch((error: unknown) => ended.abort(error));
    try {
      // Tables are looked at side by side: each look is a way to both servers.
      const sideBySide = Math.min(MOST_PAIRS, job.catalog.tables.length);
      return await withPairs(job, sideBySide, signal, async (pairs) => {
        const all = { target, checkpoint, holder, counter, marks, reader, options, signal };
        const watcher = new Watcher(all, (error) => ended.abort(error));
        return await watcher.run(pairs);
      });
    } finally {
      ended.abort();
      await reading.catch(() => {});
    }
  });
}
