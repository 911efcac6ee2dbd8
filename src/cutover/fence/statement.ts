import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import { openConnection, withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { listSessions } from './sessions.ts';

/**
 * Stands right behind the first word of the statements that may wait, so that a session whose client
 * died can be found and ended.
 */
export const MARKER = '/* skyferry fence */';
const GONE_WITHIN_MS = 5_000;

/**
 * Runs a statement that may wait for locks and may be repeated. Throws NOT_QUIESCENT when it did not end
 * within its time, or the server's failure: then it may still be waiting, see `endWaitingStatements`.
 */
export async function runAwaited(
  account: Endpoint,
  sql: string,
  options: {
    readonly withinMs: number;
    readonly signal: AbortSignal;
    /** Asked when the reply was lost. */
    readonly isDone: () => Promise<boolean>;
    /** See `endWaitingStatements`. */
    readonly alsoEnds?: RegExp;
  },
): Promise<void> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) throw notGranted(options.withinMs);
    const lost = await attempt(account, sql, left, options);
    if (lost === null) return;
    // The reply was lost: the statement may have run, may still wait, or may never have arrived.
    await endWaitingStatements(account, options.alsoEnds);
    if (await options.isDone()) return;
  }
}

async function attempt(
  account: Endpoint,
  sql: string,
  leftMs: number,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<'reply lost' | null> {
  // Not bound to the signal: an abort would leave the statement waiting on the server.
  const connection = await openConnection(account, {
    session: [`SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(leftMs / 1000))}`],
  });
  const timer = new AbortController();
  const ran = connection.query(sql);
  ran.catch(() => {});
  try {
    // lock_wait_timeout counts for each of several locks; the clock here counts for all of them.
    const outOfTime = sleep(leftMs, 'late' as const, {
      signal: AbortSignal.any([timer.signal, signal]),
    });
    outOfTime.catch(() => {});
    if ((await Promise.race([ran, outOfTime])) === 'late') throw notGranted(withinMs);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, 'CONNECTION_LOST')) return 'reply lost';
    if (isFailure(error) && error.detail.errno === 1205) throw notGranted(withinMs);
    throw error;
  } finally {
    timer.abort();
    connection.destroy();
  }
}

function notGranted(withinMs: number): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `the fence was not granted within ${withinMs} ms: a statement that writes, or LOCK TABLES, is still running`,
    {
      safe: 'nothing was switched; the source takes writes again',
      next: 'look for long statements in SHOW FULL PROCESSLIST on the source, then approve again',
    },
  );
}

/**
 * A fence statement whose client died goes on waiting for its lock and would raise the fence long
 * after everybody has gone home: it is killed, and seen to be gone. `unmarked`: the form of this account's
 * own statements that cannot carry the marker.
 */
export async function endWaitingStatements(account: Endpoint, unmarked?: RegExp): Promise<void> {
  await withConnection(account, bounded(), async (connection) => {
    const deadline = performance.now() + GONE_WITHIN_MS;
    for (;;) {
      const sessions = await listSessions(connection);
      const waiting = sessions.filter(
        ({ user, statement }) =>
          marked.test(statement) ||
          ((user === account.user || user === null) && unmarked?.test(statement) === true),
      );
      if (waiting.length === 0) return;
      if (performance.now() > deadline) {
        throw new SkyferryFailure('NOT_QUIESCENT', 'an older fence statement cannot be ended', {
          next: `KILL the session on the source whose statement begins with ${MARKER}`,
        });
      }
      for (const { thread } of waiting) {
        // They are this account's own, so that it needs no privilege.
        await connection.query(`KILL ${thread}`).catch((error: unknown) => {
          const noSuchThread = isFailure(error) && error.detail.errno === 1094;
          if (!noSuchThread) throw error;
        });
      }
      await sleep(20);
    }
  });
}

const marked = /^[A-Z]+ \/\* skyferry fence \*\//;

export function asCommands(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};`).join(' ');
}

const ANSWERS_WITHIN_MS = 60_000;

/**
 * Lowering a fence has no signal, because it must happen after an abort: a session that hears nothing for so
 * long is given up (CONNECTION_LOST), and whoever lowers the fence next opens another one.
 */
export function bounded(signal?: AbortSignal): { signal: AbortSignal } {
  if (signal !== undefined) return { signal };
  const late = new AbortController();
  setTimeout(() => late.abort(unanswered()), ANSWERS_WITHIN_MS).unref();
  return { signal: late.signal };
}

function unanswered(): SkyferryFailure {
  return new SkyferryFailure(
    'CONNECTION_LOST',
    `the source did not answer within ${ANSWERS_WITHIN_MS / 1000} s`,
  );
}

/** Rejects with the signal's own reason. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  await sleep(ms, undefined, options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
