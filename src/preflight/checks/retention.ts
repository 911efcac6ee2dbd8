import { check } from '../finding.ts';

const NEEDED_HOURS = 48;

/** The binlog must outlive the full load and every wait after it. */
export const retentionCheck = check(
  'binlog-retention',
  'the source keeps its binlog long enough',
  async ({ source, config }) => {
    const rds = await rdsRetentionHours(
      source.connection,
      source.grants.execute('mysql.rds_show_configuration'),
    );
    if (rds.managed) {
      const enough = rds.hours !== null && rds.hours >= NEEDED_HOURS;
      if (enough) return [];
      const mayRaise = source.grants.execute('mysql.rds_set_configuration');
      return [
        {
          severity: mayRaise ? ('warning' as const) : ('blocker' as const),
          object: 'source binlog retention hours',
          found: `${rds.hours === null ? 'is not set: files go as soon as they can' : `is ${rds.hours}`}; needed: ${NEEDED_HOURS}${
            mayRaise ? '. It is raised for the migration and put back at its end' : ''
          }`,
          fix: `CALL mysql.rds_set_configuration('binlog retention hours', 168);`,
        },
      ];
    }
    const seconds = Number(source.variable('binlog_expire_logs_seconds') ?? 0);
    if (seconds === 0 || seconds >= NEEDED_HOURS * 3600) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'source binlog_expire_logs_seconds',
        found: `is ${seconds} (${Math.floor(seconds / 3600)} h); ${NEEDED_HOURS} h are advised for ${config.schemas.join(', ')}`,
        fix: `SET PERSIST binlog_expire_logs_seconds = ${7 * 86_400};`,
      },
    ];
  },
);

async function rdsRetentionHours(
  connection: { query(sql: string): Promise<Record<string, unknown>[]> },
  mayCall: boolean,
): Promise<{ managed: boolean; hours: number | null }> {
  if (!mayCall) return { managed: false, hours: null };
  // A CALL answers with its rows and then with an OK: mysql2 gives both, the rows first.
  const answer: unknown[] = await connection.query('CALL mysql.rds_show_configuration');
  const rows = (Array.isArray(answer[0]) ? answer[0] : answer) as Record<string, unknown>[];
  const row = rows.find((r) => r['name'] === 'binlog retention hours');
  if (row === undefined) return { managed: false, hours: null };
  return {
    managed: true,
    hours: row['value'] === null || row['value'] === undefined ? null : Number(row['value']),
  };
}
