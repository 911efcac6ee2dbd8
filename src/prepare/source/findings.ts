import type { RdsView } from '../../clouds/aws/rds.ts';
import type { Finding } from '../../preflight/finding.ts';
import { gtidStages } from './gtid-stages.ts';
import type { SourceSituation } from './look.ts';
import { serves } from './look.ts';
import { missingOnServer, nextValues, spellOut, waitingValues } from './plan-group.ts';
import type { ServerSettings } from './server-settings.ts';
import type { RdsSource } from './source.ts';

/** Kinds of servers that are something else than they seem: refused by name, before anything is asked. */
export function kindFindings({ server, config }: RdsSource, view: RdsView): Finding[] {
  const { instance, cluster } = view;
  const object = `source ${server.id}`;
  const refuse = (code: string, found: string, fix: string): Finding[] => [
    { code, severity: 'blocker', object, found, fix },
  ];
  const engine = cluster?.Engine ?? instance.Engine ?? '';
  if (config.kind === 'rds-mysql' && engine === 'aurora-mysql') {
    return refuse(
      'rds-engine',
      'is an instance of an Aurora cluster',
      `write kind: aurora-mysql and cluster: ${instance.DBClusterIdentifier}`,
    );
  }
  const multiAzCluster = engine === 'mysql' && (cluster ?? instance.DBClusterIdentifier) != null;
  if (multiAzCluster) {
    return refuse(
      'rds-multi-az-cluster',
      'is a Multi-AZ DB cluster, with two readable standbys: neither its parameters nor its failover were ever proved with Skyferry',
      'restore a snapshot of it as an instance (Multi-AZ instances are supported), and migrate that',
    );
  }
  if (engine !== 'mysql' && engine !== 'aurora-mysql') {
    return refuse('rds-engine', `runs ${engine}`, 'Skyferry moves MySQL: RDS for MySQL or Aurora');
  }
  const primary = instance.ReadReplicaSourceDBInstanceIdentifier;
  if (primary !== undefined && primary !== '') {
    return refuse(
      'rds-read-replica',
      `is a read replica of ${primary}: what is written there cannot be fenced here`,
      `name ${primary} as the source, or promote the replica first`,
    );
  }
  if (!serves(view)) {
    return refuse(
      'rds-status',
      `is ${view.status}`,
      'bring it back to available in the RDS console',
    );
  }
  return [];
}

export function groupFindings(source: RdsSource, situation: SourceSituation): Finding[] {
  const { server } = source;
  const { group, settings, view } = situation;
  const object = `source parameter group ${group.attached.name}`;
  const findings: Finding[] = [];
  const needsChange =
    missingOnServer(settings, nextValues(settings)).length > 0 ||
    source.input.config.cutover.fence.includes('rds-read-only');
  if (needsChange && group.own === null && group.sharedWith.length > 0) {
    findings.push({
      code: 'parameter-group-shared',
      severity: 'blocker',
      object,
      found: `is used by ${group.sharedWith.join(', ')} too: what is changed there applies to all of them`,
      fix: `name another one in source.parameterGroup, e.g. skyferry-${server.id}: it is made as a copy for ${server.id} alone`,
    });
  }
  if (group.own?.state === 'taken' && needsChange) {
    findings.push({
      code: 'parameter-group-taken',
      severity: 'blocker',
      object: `parameter group ${group.own.name}`,
      found: 'is there already, and this migration did not make it or others use it',
      fix: `name another one in source.parameterGroup, or attach it to ${server.id} yourself`,
    });
  }
  const fixed = [...group.parameters.values()].filter(
    ({ name, modifiable }) =>
      !modifiable && missingOnServer(settings, nextValues(settings)).includes(name),
  );
  if (fixed.length > 0) {
    findings.push({
      code: 'parameter-fixed',
      severity: 'blocker',
      object,
      found: `RDS does not let anybody change ${fixed.map(({ name }) => name).join(', ')} in this version`,
      fix: 'upgrade the source to a version that does',
    });
  }
  const waiting = waitingValues(group.parameters, settings);
  if (view.applyStatus === 'pending-reboot' && group.own === null && waiting.length > 0) {
    findings.push({
      code: 'parameters-pending',
      severity: 'info',
      object,
      found: `says ${spellOut(waiting)}, and the server does not have it: it waits for a reboot`,
    });
  }
  return [...findings, ...stageFindings(source, settings)];
}

function stageFindings({ server }: RdsSource, settings: ServerSettings): Finding[] {
  const stages = gtidStages(settings);
  if (stages.length === 0) return [];
  return [
    {
      code: 'source-gtid',
      severity: 'info',
      object: `source ${server.id}`,
      found: `has gtid_mode=${settings.gtidMode}; it is led to ON in ${stages.length} step${stages.length === 1 ? '' : 's'}. A source that may not be rebooted for that cannot be moved: without GTIDs changes could only be followed by file and position, which mean another place after a failover, so that mode is refused`,
      fix: 'before you approve: CREATE TABLE … SELECT, and temporary tables within transactions, fail once enforce_gtid_consistency is ON; under WARN they are in the error log',
    },
  ];
}

/** Everybody else who depends on this server's binlog or stands before it. */
export function surroundingFindings(
  { server }: RdsSource,
  { view, settings }: SourceSituation,
  proxies: readonly string[] | null,
): Finding[] {
  const object = `source ${server.id}`;
  const findings: Finding[] = [];
  if (proxies !== null && proxies.length > 0) {
    findings.push({
      code: 'rds-proxy',
      severity: 'warning',
      object,
      found: `stands behind RDS Proxy ${proxies.join(', ')}: the proxy keeps connections of its own, so a consumer that uses it is switched by the name it connects to, never by the proxy`,
      fix: 'give each consumer of the proxy a switch, then add rds-proxy to preflight.accept',
    });
  }
  if (proxies === null) {
    findings.push({
      code: 'rds-proxy',
      severity: 'info',
      object,
      found: 'whether an RDS Proxy stands before it could not be seen',
      fix: 'grant rds:DescribeDBProxies and rds:DescribeDBProxyTargets',
    });
  }
  const replicas = view.instance.ReadReplicaDBInstanceIdentifiers ?? [];
  const readers = [...replicas.map((id) => `read replica ${id}`), ...settings.binlogReaders];
  if (readers.length > 0 || !settings.allReadersSeen) {
    findings.push({
      code: 'binlog-readers',
      severity: readers.length > 0 ? 'warning' : 'info',
      object,
      found: `${readers.length > 0 ? `its binlog is read by ${readers.join(', ')}: they stay with the source and see nothing that is written after the switch` : 'nobody else is seen to read its binlog'}${settings.allReadersSeen ? '' : '; the account does not see all sessions (PROCESS), so there may be more'}`,
      ...(readers.length > 0 && {
        fix: 'move or end each of them, then add binlog-readers to preflight.accept',
      }),
    });
  }
  if (settings.formats['binlog_format'] !== 'ROW' && settings.logBin) {
    findings.push({
      code: 'binlog-format-sessions',
      severity: 'info',
      object,
      found:
        'sessions that are open when binlog_format becomes ROW keep the former one; a reboot ends them',
    });
  }
  return findings;
}
