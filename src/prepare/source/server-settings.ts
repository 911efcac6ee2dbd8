import { isFailure } from '../../failures.ts';
import type { Retention } from '../../mysql/binlog-retention.ts';
import { readRetention } from '../../mysql/binlog-retention.ts';
import type { Connection } from '../../mysql/connection.ts';

export const gtidModes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'] as const;
export type GtidMode = (typeof gtidModes)[number];
export type Consistency = 'OFF' | 'WARN' | 'ON';

/** What the server itself says of its binlog, whatever its cloud says. */
export interface ServerSettings {
  readonly version: string;
  readonly logBin: boolean;
  readonly gtidMode: GtidMode;
  readonly consistency: Consistency;
  /** By name, in upper case: binlog_format, binlog_row_image, binlog_row_value_options. */
  readonly formats: Readonly<Record<string, string>>;
  readonly readOnly: boolean;
  readonly retention: Retention;
  /** Who reads the binlog already, one line each. */
  readonly binlogReaders: readonly string[];
  /** False: SHOW REPLICAS or the process list was refused, so there may be more. */
  readonly allReadersSeen: boolean;
}

/** The variables that a parameter group is to set, as the server spells them. */
export const groupVariables = [
  'binlog_format',
  'binlog_row_image',
  'gtid_mode',
  'enforce_gtid_consistency',
] as const;

export async function readServerSettings(connection: Connection): Promise<ServerSettings> {
  const rows = await connection.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${[...groupVariables, 'binlog_row_value_options', 'log_bin', 'read_only', 'version'].map((name) => `'${name}'`).join(', ')})`,
  );
  const values = new Map(
    rows.map((row) => {
      const [name, value] = Object.values(row);
      return [String(name), String(value).toUpperCase()];
    }),
  );
  const value = (name: string) => values.get(name) ?? '';
  const readers = await readBinlogReaders(connection);
  return {
    version: value('version'),
    logBin: value('log_bin') === 'ON',
    gtidMode: gtidModes.find((mode) => mode === value('gtid_mode')) ?? 'OFF',
    consistency: toConsistency(value('enforce_gtid_consistency')),
    formats: {
      // Gone in versions that know ROW only.
      binlog_format: values.get('binlog_format') ?? 'ROW',
      binlog_row_image: values.get('binlog_row_image') ?? 'FULL',
      binlog_row_value_options: value('binlog_row_value_options'),
    },
    readOnly: value('read_only') === 'ON',
    retention: await readRetention(connection),
    ...readers,
  };
}

/** A variable of `groupVariables` as the server has it now. */
export function valueOf(settings: ServerSettings, variable: string): string {
  if (variable === 'gtid_mode') return settings.gtidMode;
  if (variable === 'enforce_gtid_consistency') return settings.consistency;
  return settings.formats[variable] ?? '';
}

function toConsistency(value: string): Consistency {
  return value === 'ON' || value === 'WARN' ? value : 'OFF';
}

/** Registered replicas, and sessions that dump: a replica may hide from either list. */
async function readBinlogReaders(
  connection: Connection,
): Promise<Pick<ServerSettings, 'binlogReaders' | 'allReadersSeen'>> {
  const replicas = await orNull(connection.query('SHOW REPLICAS'));
  const sessions = await orNull(
    connection.query(
      `SELECT USER AS user, HOST AS host FROM information_schema.PROCESSLIST
        WHERE COMMAND IN ('Binlog Dump', 'Binlog Dump GTID')`,
    ),
  );
  return {
    binlogReaders: [
      ...(replicas ?? []).map(
        (row) =>
          `replica ${String(row['Server_Id'])} at ${row['Host'] === '' ? 'an unnamed host' : String(row['Host'])}`,
      ),
      ...(sessions ?? []).map(
        (row) => `session of ${String(row['user'])} from ${String(row['host'])}`,
      ),
    ],
    allReadersSeen: replicas !== null && sessions !== null,
  };
}

/** A statement that older versions do not know, or that the account may not run, is no failure here. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error) && !error.retryable) return null;
    throw error;
  }
}
