import { SkyferryFailure } from '../failures.ts';
import type { Connection, Row } from './connection.ts';

const SYNTAX_ERROR = 1064;

/** One row a channel, with the columns of whichever statement this server knows. Needs REPLICATION CLIENT. */
export async function showReplicaStatus(connection: Connection): Promise<Row[]> {
  // The old statement is gone since 8.4, the new one is unknown before 8.0.22.
  return await connection.query('SHOW REPLICA STATUS').catch((error: unknown) => {
    if (error instanceof SkyferryFailure && error.detail.errno === SYNTAX_ERROR) {
      return connection.query('SHOW SLAVE STATUS');
    }
    throw error;
  });
}

/** Whether the server itself applies another server's changes through that channel. */
export function isApplierRunning(row: Row): boolean {
  return (row['Replica_SQL_Running'] ?? row['Slave_SQL_Running']) === 'Yes';
}
