import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';

const lockName = `CONCAT('skyferry.steer.', LEFT(SHA2(?, 256), 40))`;
const PATIENCE_S = 15;

/**
 * One at a time configures, starts, stops or removes the replication of a migration. A holder that was
 * frozen is ended, so that nothing of what it still wanted to do can happen later.
 */
export async function whileSteering<T>(
  target: Connection,
  migration: string,
  run: () => Promise<T>,
): Promise<T> {
  await lock(target, migration);
  try {
    return await run();
  } finally {
    // A session that is gone has released it.
    await target.query(`SELECT RELEASE_LOCK(${lockName})`, [migration]).catch(() => {});
  }
}

async function lock(target: Connection, migration: string): Promise<void> {
  if (await tryLock(target, migration, PATIENCE_S)) return;
  const [row] = await target.query(`SELECT IS_USED_LOCK(${lockName}) AS id`, [migration]);
  const id = row?.['id'] ?? null;
  if (id !== null) await target.execute(`KILL ${Number(id)}`).catch(() => {});
  if (await tryLock(target, migration, PATIENCE_S)) return;
  throw new SkyferryFailure(
    'TRANSIENT',
    'another worker is changing the replication of the target',
  );
}

async function tryLock(target: Connection, migration: string, seconds: number): Promise<boolean> {
  const [row] = await target.query(`SELECT GET_LOCK(${lockName}, ${seconds}) AS got`, [migration]);
  return Number(row?.['got']) === 1;
}
