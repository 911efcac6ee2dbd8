import { isFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';

const ER_CANNOT_CONVERT_STRING = 3854;

export interface WritingTransaction {
  /** 0: not known, or a prepared XA transaction that lost its session. */
  readonly thread: number;
  readonly rows: number;
}

/** Open transactions that have changed rows. Needs PROCESS. */
export async function writingTransactions(connection: Connection): Promise<WritingTransaction[]> {
  const rows = await connection
    .query<{ thread: string | number; changed: string | number }>(
      `SELECT trx_mysql_thread_id AS thread, trx_rows_modified AS changed
         FROM information_schema.innodb_trx WHERE trx_rows_modified > 0`,
    )
    .catch((error: unknown) => {
      // The table holds statement texts in utf8mb3 and cannot be read at all, whichever columns are
      // asked for, while one with a four-byte character runs: a transaction whose thread is unknown.
      if (isFailure(error) && error.detail.errno === ER_CANNOT_CONVERT_STRING)
        return [{ thread: 0, changed: 0 }];
      throw error;
    });
  return rows.map(({ thread, changed }) => ({ thread: Number(thread), rows: Number(changed) }));
}
