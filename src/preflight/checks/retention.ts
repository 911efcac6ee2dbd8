import { readRetention } from '../../mysql/binlog-retention.ts';
import { check } from '../finding.ts';

const NEEDED_HOURS = 48;

/** The binlog must outlive the full load and every wait after it. */
export const retentionCheck = check(
  'binlog-retention',
  'the source keeps its binlog long enough',
  async ({ source }) => {
    const retention = await readRetention(source.connection);
    if (retention.kind === 'rds') {
      const { hours } = retention;
      if (hours !== null && hours >= NEEDED_HOURS) return [];
      const mayRaise = source.grants.execute('mysql.rds_set_configuration');
      const is = hours === null ? 'is not set: files go as soon as they can' : `is ${hours}`;
      return [
        {
          severity: mayRaise ? ('warning' as const) : ('blocker' as const),
          object: 'source binlog retention hours',
          found: `${is}; needed: ${NEEDED_HOURS}${mayRaise ? '. It is raised for the migration and put back at its end' : ''}`,
          fix: "CALL mysql.rds_set_configuration('binlog retention hours', 168);",
        },
      ];
    }
    const { seconds } = retention;
    if (seconds === 0 || seconds >= NEEDED_HOURS * 3600) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'source binlog_expire_logs_seconds',
        found: `is ${seconds} (${Math.floor(seconds / 3600)} h); at least ${NEEDED_HOURS} h are advised`,
        fix: `SET PERSIST binlog_expire_logs_seconds = ${7 * 86_400};`,
      },
    ];
  },
);
