import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Position } from '../mysql/position.ts';
import { isApplierRunning, showReplicaStatus } from '../mysql/show-replica-status.ts';
import { readExecuted } from '../mysql/watermark.ts';
import { endSession } from './fence/sessions.ts';
import type { FenceKind } from './fence/fence.ts';
import type { CutoverJob } from './job.ts';
import { whatWasWritten, wroteBehindFence } from './source-writes.ts';
import { writingTransactions } from './writing-transactions.ts';

/**
 * What was seen behind the fence; kept as evidence in the report. It holds numbers and positions
 * only, never what a session was running.
 */
export interface QuiescenceEvidence {
  readonly provedAt: string;
  readonly fence: FenceKind;
  /** XA transactions in state PREPARED, before and after the two readings of the position. */
  readonly preparedXa: { readonly before: 0; readonly after: 0 };
  /** Transactions that had modified rows and that the fence is to stop, before and after. */
  readonly writingTransactions: { readonly before: 0; readonly after: 0 };
  /** Sessions whose open transaction had modified rows; the fence refuses their commit. */
  readonly endedSessions: number;
  /** Sessions of others that stay connected to the fenced source: their pools are not switched yet. */
  readonly sessions: number;
  /** Events run by the server itself. */
  readonly events: { readonly scheduler: string; readonly enabled: number };
  readonly replicationApplier: 'none' | 'stopped';
  /** Two readings, this far apart: equal, or no write on a migrated table lies between them. */
  readonly positions: readonly [Position, Position];
  readonly apartMs: number;
}

/**
 * `innodb_trx` is a snapshot that is made anew only when nobody has read it for 100 ms: looking more
 * often would show the same one for ever.
 */
const APART_MS = 150;

/**
 * Proves that nothing can be committed behind a raised fence, and reads the position after that. Waits
 * up to `withinMs` for transactions to end; sessions that keep a writing transaction open are ended
 * halfway, since their commit would fail anyway. Throws NOT_QUIESCENT with what is left.
 */
export async function proveQuiescence(
  job: Pick<CutoverJob, 'fence' | 'fenceAccount' | 'source' | 'catalog'>,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<{ position: Position; evidence: QuiescenceEvidence }> {
  const { fence, fenceAccount, source } = job;
  const look = async () => await lookAround(job, fenceSession, sourceSession, signal);
  await using fenceSession = await openConnection(fenceAccount, { signal });
  await using sourceSession = await openConnection(source, { signal });
  const began = performance.now();
  const ended = new Set<number>();
  let before = await look();
  for (;;) {
    const first = await readExecuted(sourceSession);
    const firstAt = performance.now();
    await sleep(APART_MS, undefined, { signal });
    const second = await readExecuted(sourceSession);
    const apartMs = Math.round(performance.now() - firstAt);
    const after = await look();
    const obstacle =
      before.obstacle ?? after.obstacle ?? (await whyItMoves(job, first, second, signal));
    if (obstacle === null) {
      return {
        position: second,
        evidence: {
          provedAt: new Date().toISOString(),
          fence: fence.kind,
          preparedXa: { before: 0, after: 0 },
          writingTransactions: { before: 0, after: 0 },
          endedSessions: ended.size,
          sessions: await countSessions(fenceSession, fenceAccount.user, source.user),
          events: await readEvents(sourceSession),
          replicationApplier: after.replicationApplier,
          positions: [first, second],
          apartMs,
        },
      };
    }
    const elapsed = performance.now() - began;
    if (elapsed > withinMs) throw notQuiescent(obstacle);
    if (elapsed > withinMs / 2) await endSessions(fenceSession, after.writers, ended);
    before = after;
  }
}

interface Look {
  readonly obstacle: string | null;
  /** Thread ids; a prepared XA transaction that lost its session has none. */
  readonly writers: readonly number[];
  readonly replicationApplier: 'none' | 'stopped';
}

/** Behind a fence for applications alone, others go on writing in other schemas: that moves it too. */
async function whyItMoves(
  { fence, source, catalog }: Pick<CutoverJob, 'fence' | 'source' | 'catalog'>,
  first: Position,
  second: Position,
  signal: AbortSignal,
): Promise<string | null> {
  if (samePosition(first, second)) return null;
  if (fence.stops === 'every write') return 'the position still moves';
  const written = await whatWasWritten(source, catalog, first, signal);
  if (written !== null) throw wroteBehindFence(written);
  return null;
}

async function lookAround(
  job: Pick<CutoverJob, 'fence'>,
  fence: Connection,
  source: Connection,
  signal: AbortSignal,
): Promise<Look> {
  const [raised, prepared, transactions, appliers] = await Promise.all([
    job.fence.isRaised(signal),
    fence.query('XA RECOVER CONVERT XID'),
    writingTransactions(fence),
    showReplicaStatus(source),
  ]);
  // Without a fence nothing is proved, and nobody's session may be ended.
  if (!raised) throw notQuiescent('the fence is not raised');
  // Applications that are fenced have no session any more: who has one is not to be stopped.
  const open =
    job.fence.stops === 'every write'
      ? transactions
      : transactions.filter(({ thread }) => thread === 0);
  const obstacle =
    prepared.length > 0
      ? `${prepared.length} prepared XA transaction(s): the fence does not stop their commit`
      : open.length > 0
        ? `${open.length} transaction(s) that modified rows are still open`
        : appliers.some(isApplierRunning)
          ? "the source's own replication applier runs: the fence does not stop it"
          : null;
  return {
    obstacle,
    writers: open.map(({ thread }) => thread).filter((thread) => thread > 0),
    replicationApplier: appliers.length === 0 ? 'none' : 'stopped',
  };
}

async function endSessions(
  fence: Connection,
  threads: readonly number[],
  ended: Set<number>,
): Promise<void> {
  for (const thread of threads) {
    ended.add(thread);
    await endSession(fence, thread);
  }
}

async function countSessions(fence: Connection, ...own: string[]): Promise<number> {
  const sessions = await fence.query<{ User: string; Command: string }>('SHOW PROCESSLIST');
  const server = new Set(['system user', 'event_scheduler', ...own]);
  return sessions.filter(({ User, Command }) => !server.has(User) && Command !== 'Daemon').length;
}

async function readEvents(source: Connection): Promise<QuiescenceEvidence['events']> {
  const [row] = await source.query<{ scheduler: string; enabled: string | number }>(
    `SELECT @@GLOBAL.event_scheduler AS scheduler,
            (SELECT COUNT(*) FROM information_schema.events WHERE status = 'ENABLED') AS enabled`,
  );
  return { scheduler: String(row?.scheduler), enabled: Number(row?.enabled) };
}

function samePosition(a: Position, b: Position): boolean {
  return a.gtidSet === b.gtidSet && a.file === b.file && a.offset === b.offset;
}

function notQuiescent(obstacle: string): SkyferryFailure {
  return new SkyferryFailure('NOT_QUIESCENT', `writes on the source did not stop: ${obstacle}`, {
    safe: 'nothing was switched; the fence is lowered again',
    next: 'end them on the source (SHOW PROCESSLIST, XA RECOVER), then approve again',
  });
}
