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

/** log_bin, ROW, FULL, GTID and no partial JSON. A variable that the server does not know is its default. */
export const binlogCheck = check(
  'binlog-settings',
  'the source logs whole rows with GTIDs',
  ({ source }: PreflightFacts) =>
    wanted.flatMap(({ variable, value, why }) => {
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
    }),
);

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
