import { SkyferryFailure, isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';

export interface Session {
  readonly thread: number;
  /** Who logged in; null: within a program of somebody else, and it cannot be seen for whom. */
  readonly user: string | null;
  /** Its login is under way: it runs nothing yet, and may still be refused. */
  readonly connecting: boolean;
  /** Ended, and still rolling back. */
  readonly dying: boolean;
  readonly statement: string;
}

/**
 * All sessions, with PROCESS. While one runs a program with SQL SECURITY DEFINER the process list shows the
 * definer, and as its host the definer's pattern; who logged in stands in the Performance Schema, where it is on.
 */
export async function listSessions(connection: Connection): Promise<Session[]> {
  const shown = await connection.query<{
    Id: number | string;
    User: string;
    Host: string;
    Command: string;
    Info: string | null;
  }>('SHOW FULL PROCESSLIST');
  const loggedIn = await connection
    .query<{ id: number | string; user: string }>(
      'SELECT ID AS id, USER AS user FROM performance_schema.processlist',
    )
    .catch((error: unknown) => {
      // Before 8.0.22 there is no such table.
      if (isFailure(error) && error.detail.errno === ER_NO_SUCH_TABLE) return [];
      throw error;
    });
  const users = new Map(loggedIn.map(({ id, user }) => [Number(id), user]));
  return shown.map(({ Id, User, Host, Command, Info }) => ({
    thread: Number(Id),
    user: users.get(Number(Id)) ?? (/[%_]/.test(Host) ? null : User),
    connecting: Command === 'Connect',
    dying: Command === 'Killed',
    statement: Info ?? '',
  }));
}

const ER_NO_SUCH_TABLE = 1146;
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
