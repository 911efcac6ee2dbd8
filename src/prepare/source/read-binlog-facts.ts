import type { AwsClients } from '../../clouds/aws/clients.ts';
import { freeStorage } from '../../clouds/aws/free-storage.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { isFailure } from '../../failures.ts';
import {
  LONGEST_AURORA_RETENTION_HOURS,
  LONGEST_RDS_RETENTION_HOURS,
  readRetention,
} from '../../mysql/binlog-retention.ts';
import type { Connection } from '../../mysql/connection.ts';
import { Grants } from '../../mysql/grants.ts';
import type { BinlogFacts } from './retention-guard.ts';

/** The binlog at one moment; two of them tell its rate. */
export interface BinlogSample {
  /** Milliseconds since 1970, by this machine. */
  readonly at: number;
  readonly logs: readonly { readonly name: string; readonly bytes: number }[];
}

/** Needs REPLICATION CLIENT. */
export async function sampleBinlog(connection: Connection): Promise<BinlogSample> {
  const at = Date.now();
  const rows = await connection.query('SHOW BINARY LOGS');
  const logs = rows.map((row) => ({
    name: String(row['Log_name']),
    bytes: Number(row['File_size']),
  }));
  return { at, logs };
}

/** Bytes an hour that were written between the two; null when too little time lies between. */
export function binlogRate(before: BinlogSample, now: BinlogSample): number | null {
  const hours = (now.at - before.at) / 3_600_000;
  const last = before.logs.at(-1);
  if (hours <= 0 || last === undefined) return null;
  // Files are purged at the other end meanwhile: only what is new counts.
  const from = now.logs.findIndex(({ name }) => name === last.name);
  const grown = now.logs.slice(Math.max(0, from)).reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.max(0, grown - (from < 0 ? 0 : last.bytes)) / hours;
}

/**
 * @param neededHours how old the last applied change is
 * @param rate from two samples, null before there are two
 */
export async function readBinlogFacts(
  { source }: Pick<MigrationConfig, 'source'>,
  connection: Connection,
  clients: AwsClients,
  { neededHours, rate }: { neededHours: number; rate: number | null },
  signal: AbortSignal,
): Promise<BinlogFacts> {
  const retention = await readRetention(connection);
  const grants = await Grants.read(connection);
  const mayRaise = retention.kind === 'rds' && grants.execute('mysql.rds_set_configuration');
  const longest =
    source.kind === 'aurora-mysql' ? LONGEST_AURORA_RETENTION_HOURS : LONGEST_RDS_RETENTION_HOURS;
  return {
    retentionHours:
      retention.kind === 'rds'
        ? retention.hours
        : retention.seconds === 0
          ? Infinity
          : retention.seconds / 3600,
    raisableTo: mayRaise ? longest : null,
    neededHours,
    bytesPerHour: rate,
    freeBytes: await freeBytesOf(source, clients, signal),
  };
}

async function freeBytesOf(
  source: MigrationConfig['source'],
  clients: AwsClients,
  signal: AbortSignal,
): Promise<number | null> {
  if (source.kind === 'mysql') return null;
  try {
    const client = await clients.cloudwatch(source.region);
    return await freeStorage(
      client,
      source.kind === 'rds-mysql' ? { instance: source.instance } : { cluster: source.cluster },
      signal,
    );
  } catch (error) {
    // A measurement that is refused or away: the guard then raises nothing.
    if (isFailure(error)) return null;
    throw error;
  }
}
