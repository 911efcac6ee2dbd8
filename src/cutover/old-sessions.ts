import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import { endSession } from './fence/sessions.ts';
import type { CutoverJob } from './job.ts';

const LOOKS = 10;
const APART_MS = 300;

/** Of applications that find their server by DNS; `left` come back to the old server each time. */
export interface OldSessions {
  readonly ended: number;
  readonly left: number;
  /** Why it could not be seen or done to the end; null: it was. */
  readonly trouble: string | null;
}

/**
 * DNS never moves an open connection: once a record is switched, its consumer's sessions on the old
 * server are ended, so that it connects again and finds the new one. They cannot write there, so what
 * cannot be ended is reported and no failure.
 */
export async function endOldSessions(
  { consumers, fenceAccount, source }: Pick<CutoverJob, 'consumers' | 'fenceAccount' | 'source'>,
  signal: AbortSignal,
): Promise<OldSessions> {
  const own = new Set([fenceAccount.user, source.user]);
  const users = new Set(
    consumers.flatMap(({ switch: each, account }) =>
      each.lowerTtl === undefined || account === null || own.has(account.user)
        ? []
        : [account.user],
    ),
  );
  const ended = new Set<number>();
  let left = 0;
  if (users.size === 0) return { ended: 0, left, trouble: null };
  try {
    await withConnection(fenceAccount, { signal }, async (connection) => {
      for (let look = 0; look < LOOKS; look++) {
        const sessions = await connection.query<{ Id: string | number; User: string }>(
          'SHOW PROCESSLIST',
        );
        const old = sessions.filter(({ User }) => users.has(User));
        left = old.length;
        if (left === 0) return;
        for (const { Id } of old) {
          await endSession(connection, Number(Id));
          ended.add(Number(Id));
        }
        await sleep(APART_MS, undefined, { signal });
      }
    });
    return { ended: ended.size, left, trouble: null };
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return { ended: ended.size, left, trouble: error.message };
  }
}

export function describeOldSessions({ ended, left, trouble }: OldSessions): string {
  if (trouble !== null) return `${ended} ended; then: ${trouble}`;
  if (left === 0) return `${ended} ended, none is left`;
  return `${ended} ended; ${left} came back each time: that application holds the old server's address`;
}
