import { isFailure } from '../../failures.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import { wasBegun } from '../../engines/native/memory.ts';
import { readOtherChannels, readReplicaStatus } from '../../engines/native/replica-status.ts';
import { findSteering } from '../../engines/native/steering.ts';
import type { PreflightFacts } from '../facts.ts';
import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';
import { listOthers } from './other-schemas.ts';

/** What MySQL's replication would do beyond what was asked for, or could not do. */
export const nativeReplicationCheck = check(
  'native-replication',
  "MySQL's replication brings over what is migrated, and nothing else",
  async (facts) => [
    ...(await existing(facts)),
    ...settings(facts),
    ...(await unfiltered(facts)),
    ...transport(facts),
    {
      severity: 'info' as const,
      object: `source ${seenFromTarget(facts.config)}`,
      found:
        'must be reachable from the target under this name (native.sourceHost names another one); that shows only when replication begins. Definitions that change on the source are replicated too, and park the migration at its next step',
    },
  ],
);

function seenFromTarget({ source, native }: PreflightFacts['config']): string {
  return `${native?.sourceHost ?? source.host}:${native?.sourcePort ?? source.port}`;
}

async function existing({ target, config }: PreflightFacts) {
  try {
    const checkpoint = await readCheckpoint(target.connection, config.name).catch(() => null);
    const ours = checkpoint !== null && wasBegun(checkpoint);
    const status = ours ? null : await readReplicaStatus(target.connection);
    const channels = await readOtherChannels(target.connection);
    if (status === null && channels.length === 0) return [];
    const where =
      status === null ? `channel ${channels.join(', ')}` : `${status.host}:${status.port}`;
    return [
      {
        severity: 'blocker' as const,
        object: 'target',
        found: `replicates already (${where})`,
        fix: 'on the target, if nobody needs it: STOP REPLICA; RESET REPLICA ALL; or set engine: built-in',
      },
    ];
  } catch (error) {
    // Without REPLICATION CLIENT: said elsewhere.
    if (isFailure(error, 'ACCESS_DENIED')) return [];
    throw error;
  }
}

function settings({ source, target, config }: PreflightFacts) {
  const parallel = Number(target.variable('replica_parallel_workers') ?? 0) > 1;
  const mayChange = target.grants.global('SYSTEM_VARIABLES_ADMIN') || target.grants.global('SUPER');
  return [
    ...(target.variable('server_id') === source.variable('server_id')
      ? [
          {
            severity: 'blocker' as const,
            object: 'target server_id',
            found: 'is that of the source: each would take the changes of the other for its own',
            fix: `on the target: SET PERSIST server_id = ${Number(source.variable('server_id')) + 1};`,
          },
        ]
      : []),
    ...(target.variable('gtid_mode') === 'OFF'
      ? [
          {
            severity: 'blocker' as const,
            object: 'target gtid_mode',
            found: 'is OFF: the target refuses transactions that carry a GTID',
            fix: ['OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON']
              .map((step) => targetParameterFix(config, 'gtid_mode', step))
              .join('; then '),
          },
        ]
      : []),
    ...(parallel && !mayChange && target.variable('replica_preserve_commit_order') === 'OFF'
      ? [
          {
            severity: 'blocker' as const,
            object: 'target replica_preserve_commit_order',
            found:
              'is OFF with several workers: the target would show states that the source never had',
            fix: targetParameterFix(config, 'replica_preserve_commit_order', 'ON'),
          },
        ]
      : []),
  ];
}

/** Only whoever may set filters can keep other schemas out. */
async function unfiltered(facts: PreflightFacts) {
  const { source, target, config } = facts;
  if (findSteering(target.grants)?.by === 'CHANGE REPLICATION SOURCE') return [];
  const others = await listOthers(facts, [...config.schemas, ...(await readIgnored(target))]);
  const seen = source.grants.global('SHOW DATABASES') || facts.fence?.grants.global('PROCESS');
  const fix = 'move them together (schemas), filter them by the server parameter replicate_wild_ignore_table, or set engine: built-in'; // prettier-ignore
  if (others.length > 0) {
    return [
      {
        severity: 'blocker' as const,
        object: others.join(', '),
        found: 'is on the source too and would be replicated: this account may not set filters',
        fix,
      },
    ];
  }
  if (seen === true) return [];
  return [
    {
      severity: 'warning' as const,
      object: `source account ${source.user}`,
      found: 'cannot see whether the source has other schemas, which would be replicated too',
      fix: `GRANT SHOW DATABASES ON *.* TO ${source.account};`,
    },
  ];
}

/** Schemas that the target's own settings keep out as a whole. */
async function readIgnored({ connection }: PreflightFacts['target']): Promise<Set<string>> {
  const rows = await connection
    .query<{ rule: string }>(
      `SELECT FILTER_RULE AS rule FROM performance_schema.replication_applier_global_filters
       WHERE FILTER_NAME = 'REPLICATE_WILD_IGNORE_TABLE'`,
    )
    .catch(() => []);
  return new Set(
    rows.flatMap(({ rule }) =>
      rule
        .split(',')
        .filter((pattern) => pattern.endsWith('.%'))
        .map((pattern) => pattern.slice(0, -2).replaceAll(/\\([_%])/g, '$1')),
    ),
  );
}

function transport({ target, config }: PreflightFacts) {
  const { tls } = config.source;
  if (tls.mode === 'disabled') return [];
  const by = findSteering(target.grants)?.by;
  // That nobody may set it up is said elsewhere.
  if (by === undefined) return [];
  if (by === 'CHANGE REPLICATION SOURCE') {
    if (config.native?.sourceCaFile !== undefined) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'native.sourceCaFile',
        found:
          'is not set: changes travel encrypted, but the target does not verify who the source is',
        fix: 'put the authority of the source’s certificate into a file on the target and name it',
      },
    ];
  }
  if (tls.ca !== undefined || config.source.kind !== 'mysql') return [];
  return [
    {
      severity: 'blocker' as const,
      object: 'source.tls.ca',
      found:
        'is not set: Azure takes the text of the authority, and without it replicates without TLS',
      fix: 'set source.tls.ca',
    },
  ];
}
