import type { RdsView } from '../../clouds/aws/rds.ts';
import { isFailure } from '../../failures.ts';
import { LONGEST_RDS_RETENTION_HOURS } from '../../mysql/binlog-retention.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Finding } from '../../preflight/finding.ts';
import type { Survey } from '../act.ts';
import { groupFindings, kindFindings, surroundingFindings } from './findings.ts';
import { lookAtGroup, requireQuiet } from './look.ts';
import { planActs } from './plan-acts.ts';
import { plainFindings } from './plain-source.ts';
import type { ServerSettings } from './server-settings.ts';
import { readServerSettings } from './server-settings.ts';
import type { RdsSource, SourceInput } from './source.ts';
import { askServer, openSource } from './source.ts';

const nothing = { acts: [], differences: [], running: [] } as const;

/**
 * Looks at a source in RDS or Aurora, by its cloud and by SQL, and plans what it lacks; changes nothing.
 * Throws CLOUD_… and CONNECTION_LOST; CLOUD_BUSY while it is rebooting, modifying and the like.
 */
export async function surveySource(
  input: SourceInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<Survey> {
  const source = await openSource(input);
  const { server, api } = source;
  const view = await api.view(server, signal);
  if (view === null) {
    const found = `there is no ${server.scope} of that name, or it has no writer, in ${source.config.region}`;
    const fix = 'look at the name and the region in the configuration';
    const finding: Finding = {
      code: 'rds-missing',
      severity: 'blocker',
      object: server.id,
      found,
      fix,
    };
    return { ...nothing, findings: [finding], address: null, facts: [] };
  }
  requireQuiet(source, view);
  const { address } = view;
  const refused = kindFindings(source, view);
  if (refused.length > 0) {
    return { ...nothing, findings: refused, address, facts: rdsFacts(source, view) };
  }
  const settings = await unlessRefused(askServer(source, view, signal));
  if ('refused' in settings) {
    const findings = [loginFinding(server.id, settings.refused)];
    return { ...nothing, findings, address, facts: rdsFacts(source, view) };
  }
  const [group, proxies, maintenance] = await Promise.all([
    lookAtGroup(source, view, signal),
    unlessDenied(api.proxiesOf(server, signal)),
    unlessDenied(api.maintenance(view.instance.DBInstanceArn ?? '', signal)),
  ]);
  const situation = { view, settings, group };
  const findings = [
    ...groupFindings(source, situation),
    ...surroundingFindings(source, situation, proxies),
    ...maintenanceFindings(source, maintenance),
  ];
  const blocked = findings.some(({ severity }) => severity === 'blocker');
  return {
    findings,
    acts: blocked ? [] : planActs(source, situation),
    address,
    facts: [...rdsFacts(source, view), ...serverFacts(settings)],
    differences: [],
    running: [
      {
        resource: `RDS ${view.instance.DBInstanceIdentifier} (${view.instance.DBInstanceClass})`,
        hourly: null,
        since: view.instance.InstanceCreateTime?.toISOString() ?? null,
      },
    ],
  };
}

/** A server that no cloud manages, e.g. on EC2: what it lacks is said with the lines for its my.cnf. */
export async function surveyPlainSource(
  input: Pick<SourceInput, 'config' | 'endpoint'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Survey> {
  const { source } = input.config;
  if (source.kind !== 'mysql') throw new TypeError('the source is in RDS');
  const address = { host: source.host, port: source.port };
  const endpoint = await input.endpoint(address);
  const settings = await unlessRefused(withConnection(endpoint, { signal }, readServerSettings));
  if ('refused' in settings) {
    return {
      ...nothing,
      findings: [loginFinding(address.host, settings.refused)],
      address,
      facts: [],
    };
  }
  const findings = plainFindings(address.host, settings);
  return { ...nothing, findings, address, facts: serverFacts(settings) };
}

function rdsFacts({ server, config }: RdsSource, view: RdsView): string[] {
  const { instance, pending } = view;
  const disk = `${instance.AllocatedStorage} GB ${instance.StorageType}`;
  const size = server.scope === 'cluster' ? 'Aurora storage' : disk;
  const zones = instance.MultiAZ === true ? 'Multi-AZ' : 'one zone';
  return [
    `${server.id}: ${instance.Engine} ${instance.EngineVersion}, ${instance.DBInstanceClass}, ${size}, ${zones}, ${config.region}`,
    `certificate authority ${instance.CACertificateIdentifier}; ${instance.PubliclyAccessible === true ? 'publicly accessible' : 'reached within its network only'}`,
    `parameter group ${view.parameterGroup} (${view.applyStatus}); backups kept ${instance.BackupRetentionPeriod} days`,
    ...pending.map((line) => `queued for its maintenance window: ${line}`),
  ];
}

function serverFacts(settings: ServerSettings): string[] {
  const { retention } = settings;
  const kept =
    retention.kind === 'rds'
      ? `binlog retention hours ${retention.hours ?? 'not set: RDS removes binlog files as soon as it can'}${(retention.hours ?? 0) >= LONGEST_RDS_RETENTION_HOURS ? '' : `; raised to ${LONGEST_RDS_RETENTION_HOURS} for the migration where the account may, then put back`}`
      : `binlog_expire_logs_seconds ${retention.seconds}`;
  return [
    `the server says: version ${settings.version}, log_bin ${settings.logBin ? 'ON' : 'OFF'}, binlog_format ${settings.formats['binlog_format']}, binlog_row_image ${settings.formats['binlog_row_image']}, gtid_mode ${settings.gtidMode}, enforce_gtid_consistency ${settings.consistency}`,
    kept,
    ...settings.binlogReaders.map((line) => `reads the binlog: ${line}`),
  ];
}

function maintenanceFindings({ server }: RdsSource, actions: readonly string[] | null): Finding[] {
  if (actions === null || actions.length === 0) return [];
  return [
    {
      code: 'rds-maintenance',
      severity: 'warning',
      object: `source ${server.id}`,
      found: `AWS means to do to it: ${actions.join('; ')}`,
      fix: 'have it done before the migration, or see that it does not fall into the cutover’s window',
    },
  ];
}

function loginFinding(server: string, found: string): Finding {
  return {
    code: 'source-login',
    severity: 'blocker',
    object: `source ${server}`,
    found,
    fix: 'check the user, its password reference or its right to log in by IAM (rds-db:connect), and from where it may log in',
  };
}

/** A refused login is a finding and no failure. */
async function unlessRefused(
  answer: Promise<ServerSettings>,
): Promise<ServerSettings | { readonly refused: string }> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error, 'ACCESS_DENIED')) return { refused: error.message };
    throw error;
  }
}

/** What is only worth knowing is not worth failing for. */
async function unlessDenied<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error, 'CLOUD_DENIED')) return null;
    throw error;
  }
}
