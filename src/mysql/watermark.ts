import { SkyferryFailure } from '../failures.ts';
import { text } from './catalog/text.ts';
import type { Connection, Row } from './connection.ts';
import type { FilePosition, Position } from './position.ts';

const SYNTAX_ERROR = 1064;

/**
 * The end of the source's binlog: every transaction whose rows are visible now lies before it, because a
 * transaction is written to the binlog before it becomes visible. Needs REPLICATION CLIENT.
 */
export async function readBinlogEnd(c: Connection): Promise<FilePosition> {
  return filePosition(await readStatus(c));
}

/** Schemas whose changes alone are logged (`logged`, [] for all), or are not (`unlogged`). Needs REPLICATION CLIENT. */
export async function readBinlogFilters(
  c: Connection,
): Promise<{ readonly logged: readonly string[]; readonly unlogged: readonly string[] }> {
  const status = await readStatus(c);
  const list = (column: string) =>
    text(status[column])
      .split(',')
      .filter((name) => name !== '');
  return { logged: list('Binlog_Do_DB'), unlogged: list('Binlog_Ignore_DB') };
}

async function readStatus(c: Connection): Promise<Row> {
  // Before 8.2 only the old statement exists, since 8.4 only the new one.
  const [row] = await c.query('SHOW BINARY LOG STATUS').catch((error: unknown) => {
    if (error instanceof SkyferryFailure && error.detail.errno === SYNTAX_ERROR) {
      return c.query('SHOW MASTER STATUS');
    }
    throw error;
  });
  if (row === undefined) {
    throw new SkyferryFailure('BINLOG_UNSUPPORTED', 'the source writes no binlog (log_bin is off)');
  }
  return row;
}

/**
 * Where everything before is committed and visible, for a start of replication: the GTID set first, then
 * file and offset, so that replaying from the set covers at least everything after the file position.
 */
export async function readExecuted(c: Connection): Promise<Position> {
  const [row] = await c.query<{ gtid_set: string }>('SELECT @@global.gtid_executed AS gtid_set');
  const gtidSet = (row?.gtid_set ?? '').replaceAll(/\s/g, '');
  return { gtidSet, ...(await readBinlogEnd(c)) };
}

function filePosition(row: Row): FilePosition {
  return { file: String(row['File']), offset: Number(row['Position']) };
}
