import type { Connection } from '../../src/mysql/connection.ts';
import type { Bench } from '../bench.ts';
import type { Contender } from '../phase.ts';
import type { Changes } from './change-rows.ts';

/**
 * The target as a replica of the source. The relay log is fetched before the clock starts, which
 * Skyferry's run has to do within its time.
 */
export function nativeReplication(
  { source, target, signal }: Bench,
  { gtidSet }: Changes,
  { workers, prepare, check }: { workers: number } & Pick<Contender, 'prepare' | 'check'>,
): Contender {
  const { admin } = target;
  return {
    name: `native replication, ${workers} worker${workers === 1 ? '' : 's'}`,
    prepare: async () => {
      await prepare();
      const { host, port, user, password } = source.endpoint;
      await admin.query(`SET GLOBAL replica_parallel_workers = ${workers}`);
      await admin.query(
        `CHANGE REPLICATION SOURCE TO SOURCE_HOST = ?, SOURCE_PORT = ?, SOURCE_USER = ?,
           SOURCE_PASSWORD = ?, SOURCE_SSL = 1, SOURCE_SSL_CA = ?,
           SOURCE_SSL_VERIFY_SERVER_CERT = 1, SOURCE_AUTO_POSITION = 1`,
        [host, port, user, password, source.authorityFile],
      );
      await admin.query('START REPLICA IO_THREAD');
      await untilFetched(admin, gtidSet, signal);
    },
    run: async () => {
      await admin.query('START REPLICA SQL_THREAD');
      await untilExecuted(admin, gtidSet, signal);
    },
    check: async () => {
      await admin.query('STOP REPLICA');
      await admin.query('RESET REPLICA ALL');
      await check();
    },
  };
}

async function untilFetched(
  admin: Connection,
  gtidSet: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const [row] = await admin.query(
      `SELECT GTID_SUBSET(?, CONCAT_WS(',', received_transaction_set, @@GLOBAL.gtid_executed))
         AS fetched, last_error_message AS error
       FROM performance_schema.replication_connection_status`,
      [gtidSet],
    );
    if (Number(row?.['fetched']) === 1) return;
    if (row?.['error'] !== '')
      throw new Error(`the replica cannot fetch: ${String(row?.['error'])}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In short waits, so that a stopped applier is seen. */
async function untilExecuted(
  admin: Connection,
  gtidSet: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const [row] = await admin.query('SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 2) AS timed_out', [
      gtidSet,
    ]);
    if (Number(row?.['timed_out']) === 0) return;
    const failed = await admin.query(
      `SELECT last_error_number FROM performance_schema.replication_applier_status_by_worker
       WHERE last_error_number <> 0`,
    );
    if (failed.length > 0) throw new Error(`the replica stopped: ${JSON.stringify(failed)}`);
  }
}
