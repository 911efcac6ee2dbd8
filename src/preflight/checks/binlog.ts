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
  { variable: 'gtid_mode', value: 'ON', why: 'a position must survive a failover of the source' },
  { variable: 'enforce_gtid_consistency', value: 'ON', why: 'it belongs to gtid_mode' },
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
              : `RDS: set ${variable}=${value} in the instance's own parameter group; self-managed: SET PERSIST ${variable} = '${value}';`,
        },
      ];
    }),
);
