import type { Connection, Row } from '../../mysql/connection.ts';
import type { FilePosition } from '../../mysql/position.ts';
import { isApplierRunning, showReplicaStatus } from '../../mysql/show-replica-status.ts';

/** What SHOW REPLICA STATUS says of the default channel. Error texts stay there: they may hold row values. */
export interface ReplicaStatus {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly receiver: 'running' | 'connecting' | 'stopped';
  readonly applier: 'running' | 'stopped';
  /** Up to here everything is applied; null before the first start. */
  readonly applied: FilePosition | null;
  /** 0: none. */
  readonly receiverErrno: number;
  readonly applierErrno: number;
  /** The transaction at which the applier stopped. */
  readonly failedGtid: string | null;
  /** REPLICATE_WILD_DO_TABLE, as the server shows it. */
  readonly filter: string;
}

/** null: no replication is configured. Needs REPLICATION CLIENT. */
export async function readReplicaStatus(target: Connection): Promise<ReplicaStatus | null> {
  const rows = await showReplicaStatus(target);
  const row = rows.find((each) => (each['Channel_Name'] ?? '') === '');
  return row === undefined ? null : toStatus(row);
}

/** Channels with a name: somebody else's replication. */
export async function readOtherChannels(target: Connection): Promise<string[]> {
  const rows = await showReplicaStatus(target);
  return rows.map((row) => textOf(row['Channel_Name'])).filter((name) => name !== '');
}

function toStatus(row: Row): ReplicaStatus {
  const either = (now: string, before: string) => row[now] ?? row[before];
  const file = textOf(either('Relay_Source_Log_File', 'Relay_Master_Log_File'));
  const offset = Number(either('Exec_Source_Log_Pos', 'Exec_Master_Log_Pos') ?? 0);
  const receiver = String(either('Replica_IO_Running', 'Slave_IO_Running'));
  const message = textOf(row['Last_SQL_Error']);
  return {
    host: String(either('Source_Host', 'Master_Host')),
    port: Number(either('Source_Port', 'Master_Port')),
    user: String(either('Source_User', 'Master_User')),
    receiver: receiver === 'Yes' ? 'running' : receiver === 'Connecting' ? 'connecting' : 'stopped',
    applier: isApplierRunning(row) ? 'running' : 'stopped',
    applied: file === '' ? null : { file, offset },
    receiverErrno: Number(row['Last_IO_Errno'] ?? 0),
    applierErrno: Number(row['Last_SQL_Errno'] ?? 0),
    failedGtid: GTID.exec(message)?.[0] ?? null,
    filter: textOf(row['Replicate_Wild_Do_Table']),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const GTID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z_][a-z0-9_]{0,31})?:\d+/i;
