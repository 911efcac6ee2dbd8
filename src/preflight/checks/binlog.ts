import { isFailure } from '../../failures.ts';
import { readBinlogFilters } from '../../mysql/watermark.ts';
import type { PreflightFacts } from '../facts.ts';
import { check } from '../finding.ts';

interface Wanted {
  variable: string;
  value: string;
  why: string;
}

const wanted: Wanted[] = [
  { variable: 'log_bin', value: 'ON', why: 'changes are read from the binlog' },
  { variable: 'binlog_format', value: 'ROW', why: 'statements cannot be replayed exactly' },
  { variable: 'binlog_row_image', value: 'FULL', why: 'every row is set whole by its key' },
  { variable: 'enforce_gtid_consistency', value: 'ON', why: 'gtid_mode asks for it' },
  { variable: 'gtid_mode', value: 'ON', why: 'a position must survive a failover of the source' },
  {
    variable: 'binlog_row_value_options',
    value: '',
    why: 'partial JSON values are not whole rows',
  },
];

/** log_bin, ROW, FULL, GTID, no partial JSON, nothing left out. A variable that the server does not know is its default. */
export const binlogCheck = check(
  'binlog-settings',
  'the source logs whole rows with GTIDs',
  async (facts: PreflightFacts) => [...settings(facts), ...(await filters(facts))],
);

function settings({ source }: PreflightFacts) {
  return wanted.flatMap(({ variable, value, why }) => {
    const actual = source.variable(variable) ?? value;
    if (actual.toUpperCase() === value) return [];
    return [
      {
        severity: 'blocker' as const,
        object: `source ${variable}`,
        found: `is ${actual || 'empty'}; needed: ${value || 'empty'}, because ${why}`,
        fix:
          variable === 'log_bin'
            ? 'RDS: turn automated backups on (an outage when it was 0); self-managed: log_bin in my.cnf and a restart'
            : `RDS: set ${variable === 'gtid_mode' ? 'gtid-mode' : variable}=${value} in the instance's own parameter group; self-managed: ${statements(variable, value, actual)}`,
      },
    ];
  });
}

const gtidModes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];

/** GTIDs are turned on in steps, and each refuses when the one before is left out. */
function statements(variable: string, value: string, actual: string): string {
  const set = (step: string) => `SET PERSIST ${variable} = '${step}';`;
  if (variable === 'enforce_gtid_consistency') {
    return `SET PERSIST ${variable} = 'WARN'; and once the error log warns of nothing any more ${set(value)}`;
  }
  if (variable !== 'gtid_mode') return set(value);
  const steps = gtidModes.slice(gtidModes.indexOf(actual.toUpperCase()) + 1);
  return `${steps.map(set).join(' ')} the last once SHOW STATUS LIKE 'Ongoing_anonymous_transaction_count' is 0`;
}

/** What is not logged is neither followed nor compared at the fence: it would be lost without a word. */
async function filters({ source, config }: PreflightFacts) {
  const { logged, unlogged } = await readBinlogFilters(source.connection).catch(
    (error: unknown) => {
      // Without a binlog, or without the right to ask: both are said elsewhere.
      if (isFailure(error, 'BINLOG_UNSUPPORTED') || isFailure(error, 'ACCESS_DENIED')) {
        return { logged: [], unlogged: [] };
      }
      throw error;
    },
  );
  const option = logged.length > 0 ? 'binlog-do-db' : 'binlog-ignore-db';
  const named = logged.length > 0 ? logged : unlogged;
  if (named.length === 0) return [];
  const missing = config.schemas.filter((schema) => named.includes(schema) !== logged.length > 0);
  return [
    {
      severity: missing.length > 0 ? ('blocker' as const) : ('warning' as const),
      object: `source ${option}`,
      found:
        missing.length > 0
          ? `keeps the changes of ${missing.join(', ')} out of the binlog`
          : `is ${named.join(', ')}: statements such as TRUNCATE are left out by the session's default database, whatever tables they name`,
      fix: `take ${option} out of my.cnf and restart the source`,
    },
  ];
}
