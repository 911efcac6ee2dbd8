/** One parameter of RDS for MySQL, as DescribeDBParameters lists it. */
export interface ParameterDefinition {
  readonly name: string;
  /** RDS's own value, formulas included; null: the engine's. */
  readonly value: string | null;
  readonly applyType: 'static' | 'dynamic';
  readonly dataType: 'string' | 'integer' | 'boolean' | 'float' | 'list';
  /** `a,b,c` or `low-high`; null: anything. */
  readonly allowed: string | null;
  readonly modifiable: boolean;
  /** The variable of mysqld; null: a parameter of RDS itself or of the data's creation. */
  readonly variable: string | null;
  /** The engine's own value where it is another in MySQL 8.0 than in the server behind this one. */
  readonly engineValue: string | null;
}

type Row = readonly [
  name: string,
  value: string | null,
  applyType: 'static' | 'dynamic',
  dataType: ParameterDefinition['dataType'],
  allowed: string | null,
  others?: {
    readonly modifiable?: false;
    readonly variable?: string | null;
    readonly engineValue?: string;
  },
];

const GTID_MODES = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'] as const;
const modes = 'READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE';

/** Those that matter to a migration and enough others for several pages; RDS lists some 400. */
const rows: readonly Row[] = [
  ['auto_increment_increment', null, 'dynamic', 'integer', '1-65535'],
  ['auto_increment_offset', null, 'dynamic', 'integer', '1-65535'],
  ['back_log', null, 'static', 'integer', '1-65535'],
  ['binlog_cache_size', '32768', 'dynamic', 'integer', '4096-18446744073709547520'],
  ['binlog_checksum', null, 'dynamic', 'string', 'NONE,CRC32'],
  ['binlog_format', 'MIXED', 'dynamic', 'string', 'ROW,STATEMENT,MIXED'],
  ['binlog_order_commits', null, 'dynamic', 'boolean', '0,1'],
  ['binlog_row_image', null, 'dynamic', 'string', 'full,minimal,noblob'],
  ['binlog_row_metadata', null, 'dynamic', 'string', 'full,minimal'],
  ['binlog_row_value_options', null, 'dynamic', 'string', 'PARTIAL_JSON'],
  ['binlog_transaction_compression', null, 'dynamic', 'boolean', '0,1'],
  ['character_set_server', null, 'dynamic', 'string', 'ascii,binary,latin1,utf8,utf8mb3,utf8mb4'],
  ['collation_server', null, 'dynamic', 'string', null],
  ['connect_timeout', null, 'dynamic', 'integer', '2-31536000'],
  ['default_time_zone', null, 'static', 'string', null, { modifiable: false, variable: null }],
  ['enforce_gtid_consistency', null, 'static', 'string', 'OFF,WARN,ON', { engineValue: 'OFF' }],
  ['event_scheduler', 'ON', 'dynamic', 'string', 'ON,OFF'],
  ['explicit_defaults_for_timestamp', '1', 'dynamic', 'boolean', '0,1'],
  ['general_log', null, 'dynamic', 'boolean', '0,1'],
  ['group_concat_max_len', null, 'dynamic', 'integer', '4-18446744073709547520'],
  [
    'gtid-mode',
    'OFF_PERMISSIVE',
    'static',
    'string',
    GTID_MODES.join(','),
    { variable: 'gtid_mode' },
  ],
  ['init_connect', null, 'dynamic', 'string', null],
  ['innodb_autoinc_lock_mode', null, 'static', 'integer', '0,1,2'],
  [
    'innodb_buffer_pool_size',
    '{DBInstanceClassMemory*3/4}',
    'dynamic',
    'integer',
    '5242880-18446744073709551615',
  ],
  ['innodb_flush_log_at_trx_commit', '1', 'dynamic', 'integer', '0-2'],
  ['innodb_io_capacity', null, 'dynamic', 'integer', '100-18446744073709551615'],
  ['innodb_io_capacity_max', null, 'dynamic', 'integer', '2000-18446744073709547520'],
  ['innodb_lock_wait_timeout', null, 'dynamic', 'integer', '1-1073741824'],
  ['innodb_print_all_deadlocks', null, 'dynamic', 'boolean', '0,1'],
  ['innodb_strict_mode', null, 'dynamic', 'boolean', '0,1'],
  ['interactive_timeout', null, 'dynamic', 'integer', '1-31536000'],
  ['join_buffer_size', null, 'dynamic', 'integer', '128-18446744073709547520'],
  ['local_infile', '1', 'dynamic', 'boolean', '0,1'],
  ['lock_wait_timeout', null, 'dynamic', 'integer', '1-31536000'],
  ['log_bin_trust_function_creators', null, 'dynamic', 'boolean', '0,1'],
  ['log_output', 'TABLE', 'dynamic', 'string', 'TABLE,FILE'],
  ['log_queries_not_using_indexes', null, 'dynamic', 'boolean', '0,1'],
  ['long_query_time', null, 'dynamic', 'float', '0-31536000'],
  ['lower_case_table_names', null, 'static', 'integer', '0,1', { variable: null }],
  ['max_allowed_packet', null, 'dynamic', 'integer', '1024-1073741824'],
  ['max_connections', '{DBInstanceClassMemory/12582880}', 'dynamic', 'integer', '1-100000'],
  ['max_execution_time', null, 'dynamic', 'integer', '0-18446744073709551615'],
  ['max_heap_table_size', null, 'dynamic', 'integer', '16384-1844674407370954752'],
  ['net_read_timeout', null, 'dynamic', 'integer', '1-31536000'],
  ['net_write_timeout', null, 'dynamic', 'integer', '1-31536000'],
  ['performance_schema', '0', 'static', 'boolean', '0,1'],
  ['read_only', '{TrueIfReplica}', 'dynamic', 'string', '0,1,{TrueIfReplica}'],
  ['require_secure_transport', null, 'dynamic', 'boolean', '0,1'],
  ['skip_name_resolve', null, 'static', 'boolean', '0,1'],
  ['slow_query_log', null, 'dynamic', 'boolean', '0,1'],
  ['sort_buffer_size', null, 'dynamic', 'integer', '32768-18446744073709551615'],
  ['sql_mode', null, 'dynamic', 'list', null],
  ['sync_binlog', '1', 'dynamic', 'integer', '0-4294967295'],
  ['table_open_cache', null, 'dynamic', 'integer', '1-1048576'],
  // RDS allows the named zones too; no server of the sandbox has their tables.
  ['time_zone', null, 'dynamic', 'string', 'UTC'],
  ['tmp_table_size', null, 'dynamic', 'integer', '1024-18446744073709551615'],
  ['transaction_isolation', null, 'dynamic', 'string', modes],
  ['wait_timeout', null, 'dynamic', 'integer', '1-31536000'],
];

/** Parameters of Aurora's cluster groups; all others stay with the instance's. */
const clusterWide = new Set([
  'auto_increment_increment',
  'auto_increment_offset',
  'binlog_checksum',
  'binlog_format',
  'binlog_row_image',
  'binlog_row_metadata',
  'binlog_row_value_options',
  'character_set_server',
  'collation_server',
  'enforce_gtid_consistency',
  'gtid-mode',
  'lower_case_table_names',
  'require_secure_transport',
  'time_zone',
]);

const auroraRows: readonly Row[] = rows.map((row) => {
  if (row[0] === 'binlog_format') {
    return ['binlog_format', 'OFF', 'static', 'string', 'OFF,ROW,STATEMENT,MIXED'];
  }
  if (row[0] === 'read_only') {
    return ['read_only', '{TrueIfReplica}', 'dynamic', 'string', null, { modifiable: false }];
  }
  return row;
});

export type GroupScope = 'instance' | 'cluster';

export const families = ['mysql8.0', 'mysql8.4', 'aurora-mysql8.0'] as const;

export function isAurora(family: string): boolean {
  return family.startsWith('aurora-');
}

/** What a group of that family lists, in the order of names. */
export function definitionsOf(family: string, scope: GroupScope): ParameterDefinition[] {
  const all = (isAurora(family) ? auroraRows : rows).map(definition);
  if (!isAurora(family)) return all;
  return all.filter(({ name }) => clusterWide.has(name) === (scope === 'cluster'));
}

function definition([name, value, applyType, dataType, allowed, others]: Row): ParameterDefinition {
  const variable = others?.variable === undefined ? name : others.variable;
  const modifiable = others?.modifiable ?? true;
  const engineValue = others?.engineValue ?? null;
  return { name, value, applyType, dataType, allowed, modifiable, variable, engineValue };
}

/** Formulas that a value may be; the sandbox's servers are small whatever their class says. */
const formulas: Readonly<Record<string, string>> = {
  '{DBInstanceClassMemory*3/4}': String(128 * 1024 * 1024),
  '{DBInstanceClassMemory/12582880}': '300',
};

/** What mysqld is to have for a value of RDS; null: its own default. */
export function resolveValue(value: string | null, isReplica: boolean): string | null {
  if (value === null) return null;
  if (value === '{TrueIfReplica}') return isReplica ? '1' : '0';
  return value === 'UTC' ? '+00:00' : (formulas[value] ?? value);
}

export function isAllowedValue(parameter: ParameterDefinition, value: string): boolean {
  const { allowed, dataType } = parameter;
  if (Object.hasOwn(formulas, value)) return dataType === 'integer';
  const range = /^(\d+)-(\d+)$/.exec(allowed ?? '');
  if (range !== null) {
    if (!/^\d+(\.\d+)?$/.test(value)) return false;
    const whole = BigInt(value.split('.')[0] ?? '0');
    return whole >= BigInt(range[1] ?? 0) && whole <= BigInt(range[2] ?? 0);
  }
  const choices = allowed?.split(',').map((choice) => choice.toLowerCase());
  return choices?.includes(value.toLowerCase()) ?? true;
}

/** MySQL takes one step at a time; RDS restarts the server with the new mode, which allows no more. */
export function isGtidStep(from: string, to: string): boolean {
  const index = (mode: string) => GTID_MODES.findIndex((one) => one === mode.toUpperCase());
  return Math.abs(index(from) - index(to)) <= 1;
}
