import type { AzureTargetConfig } from '../../config/schema.ts';
import type { ParameterDifference } from '../act.ts';
import type { SourceFacts } from '../source-facts.ts';
import type { Parameters, Values } from './parameter-values.ts';
import { targetTimeZone } from './time-zone.ts';
import { modesThatExist, rangeOf, refusal, sameValue } from './parameter-values.ts';

/** What applications would notice: the target gets the source's values, for good. */
const derived = [
  'sql_mode',
  'character_set_server',
  'collation_server',
  'explicit_defaults_for_timestamp',
  'group_concat_max_len',
  'div_precision_increment',
  'default_week_format',
  'innodb_strict_mode',
  'innodb_lock_wait_timeout',
  'innodb_ft_min_token_size',
  'innodb_ft_max_token_size',
  'transaction_isolation',
  'tx_isolation',
  'wait_timeout',
  'interactive_timeout',
];

/** Back to what they are to be before the window: they only make the load faster. */
const untilWindow = [
  'innodb_io_capacity_max',
  'innodb_io_capacity',
  'slow_query_log',
  'audit_log_enabled',
];

/** The engine itself needs these until the switch is done. */
const untilCompletion = [
  'max_allowed_packet',
  'local_infile',
  'log_bin_trust_function_creators',
  'event_scheduler',
];

/** Azure turns GTIDs on, one step at a time, and never off again. */
export const neverTurnedBack: ReadonlySet<string> = new Set([
  'gtid_mode',
  'enforce_gtid_consistency',
]);

const MAX_PACKET = String(2 ** 30);
/** A week, so that there is a way back for as long. */
const BINLOG_SECONDS = 604_800;
const LOAD_IO_CAPACITY = 4_000;

interface Wanting {
  readonly target: AzureTargetConfig;
  readonly source: SourceFacts | null;
  /** As Azure lists them; null: the server is still to be made, so what it would refuse is unknown. */
  readonly listed: Parameters | null;
}

interface Restoring extends Wanting {
  readonly listed: Parameters;
  /** What was changed on a server that existed; null: a new one, whose defaults count. */
  readonly former: Values | null;
  /** Memory that the server will have; null: not known. */
  readonly memoryMb: number | null;
  /** On the source when it was surveyed: the fence may have stopped its scheduler since. */
  readonly eventsRan?: boolean;
}

/** For the load and the catching up. */
export function loadValues({ target, source, listed }: Wanting): Values {
  return settable(
    {
      ...derivedValues(source, listed),
      ...lastingValues(source, listed),
      ...target.parameters,
      ...ioCapacity(listed),
      ...(listed?.has('slow_query_log') !== false && { slow_query_log: 'OFF' }),
      ...(listed?.has('audit_log_enabled') === true && { audit_log_enabled: 'OFF' }),
      max_allowed_packet: MAX_PACKET,
      local_infile: 'ON',
      log_bin_trust_function_creators: 'ON',
      event_scheduler: 'OFF',
    },
    listed,
    target.parameters,
  );
}

/** Before the window: what only made the load faster, and what the size to run with cannot hold. */
export function runValues(wanting: Restoring): Values {
  const back = Object.fromEntries(untilWindow.map((name) => [name, restingValue(name, wanting)]));
  return settable({ ...defined(back), ...fitting(wanting) }, wanting.listed, {});
}

/** After the switch. */
export function finalValues(wanting: Restoring): Values {
  const back = Object.fromEntries(
    untilCompletion.map((name) => [name, restingValue(name, wanting)]),
  );
  return settable(defined(back), wanting.listed, {});
}

export function differing(values: Values, listed: Parameters): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => {
      const parameter = listed.get(name);
      return parameter === undefined || !sameValue(name, parameter.value, value);
    }),
  );
}

/** What stays different between the two servers, and why: everything else is made the same. */
export function lastingDifferences({
  target,
  source,
  listed,
}: Restoring): readonly ParameterDifference[] {
  if (source === null) return [];
  const names = [...derived, 'time_zone', 'max_connections', 'lower_case_table_names', 'gtid_mode'];
  return names.flatMap((parameter) => {
    const before = source.variables[parameter];
    const now = target.parameters[parameter] ?? listed.get(parameter)?.value;
    if (before === undefined || now === undefined || sameValue(parameter, before, now)) return [];
    const will = derivedValues(source, listed)[parameter];
    // Another spelling of the same offset; a name says more than its offset does.
    if (parameter === 'time_zone' && will !== undefined && !before.includes('/')) return [];
    const why =
      parameter in target.parameters
        ? 'target.parameters says so'
        : parameter === 'max_connections'
          ? 'bounded by the SKU’s memory'
          : parameter === 'time_zone'
            ? 'Azure knows offsets; names only once their tables are loaded'
            : (refusal(parameter, before, listed) ?? 'kept as it is');
    const isMadeTheSame =
      will !== undefined &&
      sameValue(parameter, will, before) &&
      refusal(parameter, will, listed) === null;
    if (isMadeTheSame && !(parameter in target.parameters)) return [];
    return [{ parameter, source: before, target: will ?? now, why }];
  });
}

/** The user's own parameters that Azure would refuse. */
export function refusedByAzure(
  target: AzureTargetConfig,
  listed: Parameters,
): { name: string; why: string }[] {
  return Object.entries(target.parameters).flatMap(([name, value]) => {
    const why = refusal(name, value, listed);
    return why === null ? [] : [{ name, why }];
  });
}

function derivedValues(source: SourceFacts | null, listed: Parameters | null): Values {
  if (source === null) return {};
  const values = Object.fromEntries(derived.map((name) => [name, source.variables[name]]));
  const { sql_mode: modes } = values;
  return defined({
    ...values,
    sql_mode:
      modes === undefined
        ? undefined
        : modesThatExist(modes, listed?.get('sql_mode')?.allowed ?? ''),
    time_zone: targetTimeZone(source) ?? undefined,
  });
}

function lastingValues(source: SourceFacts | null, listed: Parameters | null): Values {
  const seconds = listed?.get('binlog_expire_logs_seconds');
  const gtid = source?.variables['gtid_mode'] === 'ON';
  return defined({
    binlog_row_image: 'FULL',
    // Invisible keys would make tables without a key differ from the source's.
    sql_generate_invisible_primary_key:
      source?.variables['sql_generate_invisible_primary_key'] ?? 'OFF',
    // 0 purges as soon as it can.
    binlog_expire_logs_seconds:
      seconds !== undefined && Number(seconds.value) >= BINLOG_SECONDS
        ? undefined
        : String(BINLOG_SECONDS),
    enforce_gtid_consistency: gtid ? 'ON' : undefined,
    gtid_mode: gtid ? 'ON' : undefined,
  });
}

function ioCapacity(listed: Parameters | null): Values {
  const values: Record<string, string> = {};
  for (const name of ['innodb_io_capacity_max', 'innodb_io_capacity']) {
    const parameter = listed?.get(name);
    const range = parameter === undefined ? null : rangeOf(parameter);
    if (parameter === undefined || range === null) continue;
    const raised = Math.min(range.max, LOAD_IO_CAPACITY);
    if (raised > Number(parameter.value)) values[name] = String(raised);
    else values[name] = parameter.value;
  }
  return values;
}

/** What a setting is to be when nothing is loaded any more. */
function restingValue(
  name: string,
  { target, source, listed, former, eventsRan }: Restoring,
): string | undefined {
  const asUserWants = target.parameters[name];
  if (asUserWants !== undefined) return asUserWants;
  const was = former?.[name];
  const onSource = source?.variables[name];
  // What a server that existed had before, and the load did not have to change, stays as it is.
  const otherwise = former === null ? listed.get(name)?.defaultValue : was;
  if (former !== null && was === undefined && name !== 'event_scheduler') return undefined;
  if (name === 'max_allowed_packet') return larger(was, onSource) ?? otherwise;
  if (name === 'log_bin_trust_function_creators') return was ?? onSource ?? otherwise;
  if (name === 'event_scheduler') return eventsRan === true || onSource === 'ON' ? 'ON' : otherwise;
  return otherwise;
}

/** Bounded by the size, and set by somebody: what Azure chose itself follows the size by itself. */
export function setBesidesSize(listed: Parameters): string[] {
  return ['innodb_buffer_pool_size', 'max_connections'].filter((name) => {
    const parameter = listed.get(name);
    return parameter !== undefined && !sameValue(name, parameter.value, parameter.defaultValue);
  });
}

/** Azure bounds these by the SKU's memory, and refuses to shrink a server that exceeds them. */
function fitting({ listed, memoryMb, target }: Restoring): Values {
  if (memoryMb === null || memoryMb === 0) return {};
  const caps: Values = {
    innodb_buffer_pool_size: String(Math.floor(memoryMb * 0.5) * 2 ** 20),
    max_connections: String(Math.floor(memoryMb / 6)),
  };
  const set = setBesidesSize(listed);
  return Object.fromEntries(
    Object.entries(caps).filter(
      ([name, cap]) =>
        (set.includes(name) || name in target.parameters) &&
        Number(listed.get(name)?.value) > Number(cap),
    ),
  );
}

/** Without what Azure would refuse, so that one refused value does not cost all the others. */
function settable(values: Values, listed: Parameters | null, asked: Values): Values {
  if (listed === null) return values;
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => name in asked || refusal(name, value, listed) === null,
    ),
  );
}

function larger(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Number(one) >= Number(other) ? one : other;
}

function defined(values: Readonly<Record<string, string | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
