/** One server parameter as Azure offers it. */
export interface Parameter {
  readonly name: string;
  readonly dataType: 'Enumeration' | 'Integer' | 'Numeric' | 'Set' | 'String';
  /** Members of an enumeration or a set, `min-max` of a number, or empty. */
  readonly allowed: string;
  /** Takes effect without a restart. */
  readonly dynamic: boolean;
  readonly readOnly: boolean;
  /** For what is Azure's own and unknown to the MySQL server behind it. */
  readonly ownDefault?: string;
}

const onOff = 'ON,OFF';
const sqlModes =
  'ALLOW_INVALID_DATES,ANSI_QUOTES,ERROR_FOR_DIVISION_BY_ZERO,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,' +
  'NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,NO_DIR_IN_CREATE,NO_ENGINE_SUBSTITUTION,' +
  'NO_UNSIGNED_SUBTRACTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,' +
  'PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT,REAL_AS_FLOAT,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,' +
  'TIME_TRUNCATE_FRACTIONAL,ANSI,TRADITIONAL';

/** name, data type, allowed values; then what is unusual about it. */
type Line = readonly [string, Parameter['dataType'], string, ('static' | 'read-only')?];

const lines: readonly Line[] = [
  ['binlog_expire_logs_seconds', 'Integer', '0-4294967295'],
  ['binlog_row_image', 'Enumeration', 'FULL,MINIMAL,NOBLOB'],
  ['binlog_row_metadata', 'Enumeration', 'FULL,MINIMAL'],
  ['character_set_server', 'String', ''],
  ['collation_server', 'String', ''],
  ['connect_timeout', 'Integer', '2-31536000'],
  ['default_week_format', 'Integer', '0-7'],
  ['div_precision_increment', 'Integer', '0-30'],
  ['enforce_gtid_consistency', 'Enumeration', 'OFF,ON,WARN'],
  ['event_scheduler', 'Enumeration', onOff],
  ['explicit_defaults_for_timestamp', 'Enumeration', onOff],
  ['ft_min_word_len', 'Integer', '1-84', 'static'],
  ['group_concat_max_len', 'Integer', '4-4294967295'],
  ['gtid_mode', 'Enumeration', 'OFF,OFF_PERMISSIVE,ON_PERMISSIVE,ON'],
  ['init_connect', 'String', ''],
  ['innodb_adaptive_hash_index', 'Enumeration', onOff],
  ['innodb_autoinc_lock_mode', 'Enumeration', '0,1,2', 'static'],
  ['innodb_buffer_pool_size', 'Integer', '5242880-17179869184', 'static'],
  ['innodb_ft_min_token_size', 'Integer', '0-16', 'static'],
  ['innodb_io_capacity', 'Integer', '100-20000'],
  ['innodb_io_capacity_max', 'Integer', '100-40000'],
  ['innodb_lock_wait_timeout', 'Integer', '1-3600'],
  ['innodb_print_all_deadlocks', 'Enumeration', onOff],
  ['innodb_read_io_threads', 'Integer', '1-64', 'static'],
  ['innodb_strict_mode', 'Enumeration', onOff],
  ['innodb_write_io_threads', 'Integer', '1-64', 'static'],
  ['interactive_timeout', 'Integer', '10-31536000'],
  ['join_buffer_size', 'Integer', '128-268435456'],
  ['lc_time_names', 'String', ''],
  ['local_infile', 'Enumeration', onOff],
  ['log_bin_trust_function_creators', 'Enumeration', onOff],
  ['long_query_time', 'Numeric', '0-31536000'],
  ['lower_case_table_names', 'Enumeration', '1,2', 'read-only'],
  ['max_allowed_packet', 'Integer', '1024-1073741824'],
  ['max_connect_errors', 'Integer', '1-4294967295'],
  ['max_connections', 'Integer', '10-100000'],
  ['max_heap_table_size', 'Integer', '16384-1073741824'],
  ['max_prepared_stmt_count', 'Integer', '0-1048576'],
  ['max_sp_recursion_depth', 'Integer', '0-255'],
  ['net_read_timeout', 'Integer', '1-31536000'],
  ['net_write_timeout', 'Integer', '1-31536000'],
  ['require_secure_transport', 'Enumeration', onOff],
  ['slow_query_log', 'Enumeration', onOff],
  ['sort_buffer_size', 'Integer', '32768-4294967295'],
  ['sql_generate_invisible_primary_key', 'Enumeration', onOff],
  ['sql_mode', 'Set', sqlModes],
  ['table_open_cache', 'Integer', '1-10000'],
  ['time_zone', 'String', ''],
  ['tls_version', 'Set', 'TLSv1.2,TLSv1.3', 'static'],
  ['tmp_table_size', 'Integer', '1024-1073741824'],
  [
    'transaction_isolation',
    'Enumeration',
    'READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE',
  ],
  ['wait_timeout', 'Integer', '60-240000'],
];

const ofMysql = lines.map(([name, dataType, allowed, unusual]): Parameter => ({
  name,
  dataType,
  allowed,
  dynamic: unusual === undefined,
  readOnly: unusual === 'read-only',
}));

const ofAzure: readonly Parameter[] = (
  [
    ['audit_log_enabled', 'Enumeration', onOff, 'OFF'],
    ['audit_log_events', 'Set', 'CONNECTION,GENERAL,DDL,DML,DCL,ADMIN', 'CONNECTION'],
    ['audit_log_exclude_users', 'String', '', 'azure_superuser'],
  ] as const
).map(([name, dataType, allowed, ownDefault]) => ({
  name,
  dataType,
  allowed,
  ownDefault,
  dynamic: true,
  readOnly: false,
}));

export const parameters: ReadonlyMap<string, Parameter> = new Map(
  [...ofMysql, ...ofAzure].map((parameter) => [parameter.name, parameter]),
);

/** Whether Azure takes that value; what the server itself thinks of it comes on top. */
export function isAllowed({ dataType, allowed }: Parameter, value: string): boolean {
  switch (dataType) {
    case 'Enumeration':
      return allowed.split(',').includes(value.toUpperCase());
    case 'Set': {
      const members = allowed.toUpperCase().split(',');
      return value === '' || value.split(',').every((one) => members.includes(one.toUpperCase()));
    }
    case 'Integer':
    case 'Numeric': {
      const [min = 0, max = 0] = allowed.split('-').map(Number);
      const whole = dataType === 'Integer' ? /^\d+$/ : /^\d+(\.\d+)?$/;
      return whole.test(value) && Number(value) >= min && Number(value) <= max;
    }
    case 'String':
      return true;
  }
}
