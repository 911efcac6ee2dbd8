import { SkyferryFailure, isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';

const ER_NO_SUCH_THREAD = 1094;
const ER_KILL_DENIED_ERROR = 1095;

/**
 * By KILL, which needs CONNECTION_ADMIN for the sessions of others, else by RDS's own procedure.
 * Resolves when the order was given or the session was gone; what it ran may still be rolled back.
 */
export async function endSession(connection: Connection, thread: number): Promise<void> {
  const killed = await tryTo(connection, `KILL ${thread}`);
  if (killed === null || killed === ER_NO_SUCH_THREAD) return;
  if (killed !== ER_KILL_DENIED_ERROR) throw cannotEnd(thread, killed);
  const called = await tryTo(connection, `CALL mysql.rds_kill(${thread})`);
  if (called === null || called === ER_NO_SUCH_THREAD) return;
  throw cannotEnd(thread, called);
}

/** The errno of the refusal. */
async function tryTo(connection: Connection, sql: string): Promise<number | null> {
  try {
    await connection.query(sql);
    return null;
  } catch (error) {
    if (isFailure(error) && error.detail.errno !== undefined) return error.detail.errno;
    throw error;
  }
}

function cannotEnd(thread: number, errno: number): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `session ${thread} of the source cannot be ended: neither by KILL nor by mysql.rds_kill`,
    {
      errno,
      safe: 'nothing was switched; the fence is lowered again',
      next: 'grant the fence account CONNECTION_ADMIN, on RDS EXECUTE on mysql.rds_kill',
    },
  );
}
