import type { Connection } from '../mysql/connection.ts';

/** What the target's preparation wants to know of the source: values of settings, no rows, no secrets. */
export interface SourceFacts {
  /** As the server says it, e.g. `8.0.36`. */
  readonly version: string;
  /** Global variables; one that the server does not know is missing. */
  readonly variables: Readonly<Record<string, string>>;
  /** Data and indexes of all schemas but the server's own, in bytes, as its statistics estimate it. */
  readonly sizeBytes: number;
}

/** Those that applications or the data itself depend on. */
const wanted = [
  'character_set_server',
  'collation_server',
  'default_week_format',
  'div_precision_increment',
  'enforce_gtid_consistency',
  'event_scheduler',
  'explicit_defaults_for_timestamp',
  'ft_min_word_len',
  'group_concat_max_len',
  'gtid_mode',
  'innodb_ft_max_token_size',
  'innodb_ft_min_token_size',
  'innodb_lock_wait_timeout',
  'innodb_strict_mode',
  'interactive_timeout',
  'log_bin_trust_function_creators',
  'lower_case_table_names',
  'max_allowed_packet',
  'max_connections',
  'ngram_token_size',
  'sql_generate_invisible_primary_key',
  'sql_mode',
  'sql_require_primary_key',
  'system_time_zone',
  'time_zone',
  'transaction_isolation',
  'tx_isolation',
  'wait_timeout',
] as const;

export async function readSourceFacts(connection: Connection): Promise<SourceFacts> {
  const rows = await connection.query<{ name: string; value: string }>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${wanted.map(() => '?').join(', ')}, 'version')`,
    wanted,
  );
  const variables = Object.fromEntries(
    rows.map((row) => {
      const [name, value] = Object.values(row);
      return [String(name), String(value)];
    }),
  );
  const { version = '', ...others } = variables;
  const [size] = await connection.query(
    `SELECT COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS bytes FROM information_schema.TABLES
      WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`,
  );
  return { version, variables: others, sizeBytes: Number(size?.['bytes'] ?? 0) };
}
