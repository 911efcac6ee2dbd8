import type { Finding } from '../../preflight/finding.ts';
import type { ServerSettings } from './server-settings.ts';

const RETENTION_SECONDS = 7 * 86_400;
const LEAST_RETENTION_SECONDS = 48 * 3_600;

/** Nothing is done to such a server: each finding has its lines for my.cnf. */
export function plainFindings(host: string, settings: ServerSettings): Finding[] {
  const { formats, retention, logBin, gtidMode, consistency } = settings;
  const online: string[] = [];
  const restarting: string[] = [];
  if (!logBin) restarting.push('log_bin = binlog', 'server_id = 1');
  if (formats['binlog_format'] !== 'ROW') online.push('binlog_format = ROW');
  if (formats['binlog_row_image'] !== 'FULL') online.push('binlog_row_image = FULL');
  if (consistency !== 'ON') online.push('enforce_gtid_consistency = ON');
  if (gtidMode !== 'ON') online.push('gtid_mode = ON');
  const findings: Finding[] = [];
  if (online.length + restarting.length > 0) {
    const how =
      restarting.length > 0
        ? 'and restart it; without a restart log_bin cannot be turned on'
        : 'and either restart it, or set the same by SET PERSIST: enforce_gtid_consistency WARN, then ON; gtid_mode OFF_PERMISSIVE, ON_PERMISSIVE, ON, one at a time, after each until SHOW STATUS LIKE ’Ongoing_anonymous_transaction_count’ is 0';
    findings.push({
      code: 'source-my-cnf',
      severity: 'blocker',
      object: `source ${host}`,
      found: `lacks ${[...restarting, ...online].join(', ')}. Following changes by file and position instead is refused: after a failover the same position is another place`,
      fix: `in my.cnf below [mysqld]:\n${[...restarting, ...online].join('\n')}\n${how}`,
    });
  }
  if (
    retention.kind === 'variable' &&
    retention.seconds > 0 &&
    retention.seconds < LEAST_RETENTION_SECONDS
  ) {
    findings.push({
      code: 'source-my-cnf',
      severity: 'warning',
      object: `source ${host}`,
      found: `keeps its binlog ${Math.floor(retention.seconds / 3600)} h`,
      fix: `SET PERSIST binlog_expire_logs_seconds = ${RETENTION_SECONDS};`,
    });
  }
  return findings;
}
