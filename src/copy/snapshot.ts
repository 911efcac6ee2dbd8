import { SkyferryFailure, isFailure } from '../failures.ts';
import type { Table } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName, qualify, quoteIdentifier } from '../mysql/identifier.ts';
import type { FilePosition } from '../mysql/position.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { readBinlogEnd } from '../mysql/watermark.ts';

/** Writers of the table wait behind a waiting lock: it is given up soon and tried again. */
const LOCK_WAIT_SECONDS = 5;
const LOCK_DENIED = new Set([1044, 1142]);
const LOCK_TIMED_OUT = 1205;

export interface TableSnapshot {
  /** Holds exactly the table's changes before this position. */
  readonly position: FilePosition;
  /** Ends the consistent read. */
  release(): Promise<void>;
  /** The same after a failure: never throws, and the reader is of no more use. */
  abandon(): void;
}

/**
 * Opens a consistent read of one table in `reader`, at an exactly known position. LOCK TABLES … READ waits
 * for the transactions that wrote the table (they hold its metadata lock until they are committed and
 * visible) and keeps others out, so nothing of the table lies between the position and the snapshot.
 * The lock is held for three round trips; longer only for an engine without consistent reads.
 */
export async function snapshotTable(
  source: Endpoint,
  reader: RawConnection,
  table: Table,
  signal: AbortSignal,
): Promise<TableSnapshot> {
  const locker = await openConnection(source, {
    signal,
    session: [`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`],
  });
  try {
    await lock(locker, table);
    const position = await readBinlogEnd(locker);
    const transactional = table.engine.toLowerCase() === 'innodb';
    if (transactional) {
      await reader.run('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      await locker.close();
    }
    return {
      position,
      release: async () => {
        if (transactional) await reader.run('COMMIT');
        else await locker.close();
      },
      abandon: () => {
        locker.destroy();
        reader.destroy();
      },
    };
  } catch (error) {
    locker.destroy();
    throw error;
  }
}

async function lock(locker: Connection, table: Table): Promise<void> {
  try {
    await locker.query(`LOCK TABLES ${qualify(table.name)} READ`);
  } catch (error) {
    if (isFailure(error) && error.detail.errno === LOCK_TIMED_OUT) throw stillWritten(table);
    if (!isFailure(error) || !LOCK_DENIED.has(error.detail.errno ?? 0)) throw error;
    throw new SkyferryFailure(
      'ACCESS_DENIED',
      `${displayName(table.name)} has no key, so it must be locked for the moment of its snapshot, and this account may not`,
      {
        ...error.detail,
        safe: 'the source was only read',
        next: `GRANT LOCK TABLES ON ${quoteIdentifier(table.name.schema)}.* TO the source account, then retry the phase`,
      },
    );
  }
}

function stillWritten(table: Table): SkyferryFailure {
  return new SkyferryFailure(
    'TRANSIENT',
    `${displayName(table.name)} has no key, so it must be locked for the moment of its snapshot: a transaction that wrote to it did not end within ${LOCK_WAIT_SECONDS} s`,
    {
      safe: 'the source was only read, and the lock was given up',
      next: 'see information_schema.innodb_trx on the source for a transaction that takes long; retry the phase when it has ended',
      errno: LOCK_TIMED_OUT,
    },
  );
}
