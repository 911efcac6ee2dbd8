import { estimate } from '../../copy/estimate.ts';
import {
  LONGEST_AURORA_RETENTION_HOURS,
  LONGEST_RDS_RETENTION_HOURS,
  readRetention,
} from '../../mysql/binlog-retention.ts';
import type { ServerFacts } from '../facts.ts';
import { check } from '../finding.ts';

/** For a worker that is away, a network that is down, a person who sleeps on it. */
const RESERVE_HOURS = 48;
/** Copying, building indexes and applying what has gathered each take about as long as the copy. */
const LOADS = 3;

/** The binlog must outlive the full load and every wait after it. */
export const retentionCheck = check(
  'binlog-retention',
  'the source keeps its binlog long enough',
  async ({ config, source, catalog }) => {
    const loadHours = estimate(catalog.tables).loadSeconds / 3600;
    const needed = RESERVE_HOURS + Math.ceil(LOADS * loadHours);
    const why = `needed: ${needed} h, the load at a cautious rate and ${RESERVE_HOURS} h of reserve`;
    const retention = await readRetention(source.connection);
    if (retention.kind === 'rds') {
      const { hours } = retention;
      if (hours !== null && hours >= needed) return [];
      const longest =
        config.source.kind === 'aurora-mysql'
          ? LONGEST_AURORA_RETENTION_HOURS
          : LONGEST_RDS_RETENTION_HOURS;
      const mayRaise = source.grants.execute('mysql.rds_set_configuration');
      const is = hours === null ? 'is not set: files go as soon as they can' : `is ${hours}`;
      const isLong = hours !== null && hours >= LONGEST_RDS_RETENTION_HOURS;
      const raised =
        mayRaise && !isLong
          ? `. It is raised to ${LONGEST_RDS_RETENTION_HOURS} for the migration and put back at its end`
          : '';
      const short =
        needed <= longest
          ? ''
          : `. It cannot be more than ${longest}: move fewer schemas at a time, or see that the load is faster than that`;
      const wanted = Math.min(longest, Math.max(needed, LONGEST_RDS_RETENTION_HOURS));
      return [
        {
          severity: mayRaise || isLong ? ('warning' as const) : ('blocker' as const),
          object: 'source binlog retention hours',
          found: `${is}; ${why}${raised}${short}`,
          ...(hours !== longest && {
            fix: `CALL mysql.rds_set_configuration('binlog retention hours', ${wanted});`,
          }),
        },
      ];
    }
    if (config.source.kind !== 'mysql' || isRds(source)) return [unreadable(source.account)];
    const { seconds } = retention;
    if (seconds === 0 || seconds >= needed * 3600) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'source binlog_expire_logs_seconds',
        found: `is ${seconds} (${Math.floor(seconds / 3600)} h); ${why}`,
        fix: `SET PERSIST binlog_expire_logs_seconds = ${Math.max(needed, 7 * 24) * 3600};`,
      },
    ];
  },
);

/** Also one that is configured by its host alone. */
function isRds({ variable }: Pick<ServerFacts, 'variable'>): boolean {
  return variable('basedir')?.startsWith('/rdsdbbin') === true;
}

/** In RDS its own setting counts, whatever the variable says. */
function unreadable(account: string) {
  const grant = (procedure: string) =>
    `GRANT EXECUTE ON PROCEDURE mysql.${procedure} TO ${account};`;
  return {
    severity: 'blocker' as const,
    object: 'source binlog retention hours',
    found:
      'may not be read: mysql.rds_show_configuration is refused, and RDS may remove binlog files at any time',
    fix: `${grant('rds_show_configuration')} ${grant('rds_set_configuration')}`,
  };
}
