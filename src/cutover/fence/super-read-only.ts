import { setTimeout as sleep } from 'node:timers/promises';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { openConnection, withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';

/**
 * Stops every write on a server by `super_read_only`, and puts both variables back exactly as they
 * were. Raising takes the global read lock: it waits for running statements, and what comes back
 * after it is committed or refused. Not stopped: XA COMMIT of a prepared transaction, and the server's
 * own replication applier (see quiescence.ts).
 */
export interface FenceState {
  readonly readOnly: boolean;
  readonly superReadOnly: boolean;
  /** What SET PERSIST has stored for a restart. */
  readonly persisted: { readonly readOnly: Persisted; readonly superReadOnly: Persisted };
}

type Persisted = 'ON' | 'OFF' | 'not persisted';

/** Marks the statements that may wait, so that a session whose client died can be found and ended. */
const MARKER = '/* skyferry fence */';
const GONE_WITHIN_MS = 5_000;

export async function readFence(
  fence: Endpoint,
  options: { signal?: AbortSignal } = {},
): Promise<FenceState> {
  return await withConnection(fence, options, readState);
}

/**
 * Raises the fence, or throws NOT_QUIESCENT (the lock was not granted within `lockWaitMs`) or the
 * server's failure: then the statement may still be waiting, and the caller has to call `lowerFence`,
 * unless somebody else owns the fence by then. What to put back comes from `readFence` and must be stored
 * before this is called. Repeating it on a raised fence does nothing.
 */
export async function raiseFence(
  fence: Endpoint,
  { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + lockWaitMs;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) throw lockNotGranted(lockWaitMs);
    const lost = await tryRaise(fence, left, lockWaitMs, signal);
    if (lost === null) return;
    // The reply was lost: the statement may have run, may still wait, or may never have arrived.
    await endWaitingStatements(fence);
    if ((await readFence(fence, { signal })).superReadOnly) return;
  }
}

async function tryRaise(
  fence: Endpoint,
  leftMs: number,
  lockWaitMs: number,
  signal: AbortSignal,
): Promise<'reply lost' | null> {
  // Not bound to the signal: an abort would leave the statement waiting on the server.
  const connection = await openConnection(fence, {
    session: [`SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(leftMs / 1000))}`],
  });
  const timer = new AbortController();
  const raised = connection.query(`SET ${MARKER} GLOBAL super_read_only = ON`);
  raised.catch(() => {});
  try {
    // lock_wait_timeout counts for each of several locks; the clock here counts for all of them.
    const outOfTime = sleep(leftMs, 'late' as const, {
      signal: AbortSignal.any([timer.signal, signal]),
    });
    outOfTime.catch(() => {});
    if ((await Promise.race([raised, outOfTime])) === 'late') throw lockNotGranted(lockWaitMs);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error, 'CONNECTION_LOST')) return 'reply lost';
    if (isFailure(error) && error.detail.errno === 1205) throw lockNotGranted(lockWaitMs);
    throw error;
  } finally {
    timer.abort();
    connection.destroy();
  }
}

function lockNotGranted(lockWaitMs: number): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `the fence was not granted within ${lockWaitMs} ms: a statement that writes, or LOCK TABLES, is still running`,
    {
      safe: 'the source takes writes; both variables are as they were',
      next: 'look for long statements in SHOW FULL PROCESSLIST on the source, then approve again',
    },
  );
}

/** Puts both variables, and what is persisted of them, back exactly. Safe to repeat. */
export async function lowerFence(fence: Endpoint, former: FenceState): Promise<void> {
  await endWaitingStatements(fence);
  await withConnection(fence, {}, async (connection) => {
    const now = await readState(connection);
    for (const statement of loweringStatements(former, now)) await connection.query(statement);
    const after = await readState(connection);
    if (!sameState(after, former)) {
      throw new SkyferryFailure(
        'NOT_QUIESCENT',
        'the fence is lowered, but read_only and super_read_only are not as they were',
        { safe: 'nothing was switched', next: unfenceCommand(former) },
      );
    }
  });
}

function sameState(a: FenceState, b: FenceState): boolean {
  return (
    a.readOnly === b.readOnly &&
    a.superReadOnly === b.superReadOnly &&
    a.persisted.readOnly === b.persisted.readOnly &&
    a.persisted.superReadOnly === b.persisted.superReadOnly
  );
}

/** Makes the fence outlive a restart of the server. Needs a raised fence. */
export async function persistFence(
  fence: Endpoint,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await withConnection(fence, options, async (connection) => {
    await connection.query('SET PERSIST read_only = ON');
    await connection.query('SET PERSIST super_read_only = ON');
  });
}

/** For a person, when nobody else may decide any more: lifts a fence that was persisted, too. */
export function unfenceCommand(former: FenceState): string {
  const fenced: FenceState = {
    readOnly: true,
    superReadOnly: true,
    persisted: { readOnly: 'ON', superReadOnly: 'ON' },
  };
  return loweringStatements(former, fenced)
    .map((statement) => `${statement};`)
    .join(' ');
}

/** `super_read_only` goes first: it cannot be ON while `read_only` is OFF. */
function loweringStatements(former: FenceState, now: FenceState): string[] {
  return [
    ...restorePersisted(
      'super_read_only',
      former.persisted.superReadOnly,
      now.persisted.superReadOnly,
    ),
    ...restorePersisted('read_only', former.persisted.readOnly, now.persisted.readOnly),
    // Whatever SET PERSIST did to the running values, these come last.
    ...(former.superReadOnly
      ? ['SET GLOBAL super_read_only = ON']
      : ['SET GLOBAL super_read_only = OFF', `SET GLOBAL read_only = ${onOff(former.readOnly)}`]),
  ];
}

function restorePersisted(name: string, former: Persisted, now: Persisted): string[] {
  if (former === now) return [];
  return former === 'not persisted'
    ? [`RESET PERSIST IF EXISTS ${name}`]
    : [`SET PERSIST ${name} = ${former}`];
}

const onOff = (value: boolean): 'ON' | 'OFF' => (value ? 'ON' : 'OFF');

async function readState(connection: Connection): Promise<FenceState> {
  const [row] = await connection.query<{ r: number | string; s: number | string }>(
    'SELECT @@GLOBAL.read_only AS r, @@GLOBAL.super_read_only AS s',
  );
  const persisted = await connection.query<{ name: string; value: string }>(
    `SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.persisted_variables
      WHERE VARIABLE_NAME IN ('read_only', 'super_read_only')`,
  );
  const persistedValue = (name: string): Persisted => {
    const value = persisted.find((p) => p.name === name)?.value;
    return value === undefined ? 'not persisted' : onOff(/^(on|1|true)$/i.test(value));
  };
  return {
    readOnly: Number(row?.r) === 1,
    superReadOnly: Number(row?.s) === 1,
    persisted: {
      readOnly: persistedValue('read_only'),
      superReadOnly: persistedValue('super_read_only'),
    },
  };
}

/**
 * A fence statement whose client died goes on waiting for its lock and would raise the fence long
 * after everybody has gone home: it is killed, and seen to be gone.
 */
async function endWaitingStatements(fence: Endpoint): Promise<void> {
  await withConnection(fence, {}, async (connection) => {
    const deadline = performance.now() + GONE_WITHIN_MS;
    for (;;) {
      const sessions = await connection.query<{ Id: number | string; Info: string | null }>(
        'SHOW FULL PROCESSLIST',
      );
      const waiting = sessions.filter(({ Info }) => Info?.startsWith(`SET ${MARKER}`) === true);
      if (waiting.length === 0) return;
      if (performance.now() > deadline) {
        throw new SkyferryFailure('NOT_QUIESCENT', 'an older fence statement cannot be ended', {
          next: 'KILL the session that runs SET GLOBAL super_read_only on the source',
        });
      }
      for (const { Id } of waiting) {
        await connection.query(`KILL ${Number(Id)}`).catch((error: unknown) => {
          const noSuchThread = isFailure(error) && error.detail.errno === 1094;
          if (!noSuchThread) throw error;
        });
      }
      await sleep(20);
    }
  });
}
