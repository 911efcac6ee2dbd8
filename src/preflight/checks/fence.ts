import { cover } from '../../cutover/fence/cover.ts';
import { runningEvents } from '../../cutover/fence/running-events.ts';
import { displayAccount, keyOf, readAccounts } from '../../cutover/fence/writers.ts';
import { writtenThrough } from '../../cutover/fence/written-through.ts';
import { isFailure } from '../../failures.ts';
import { text } from '../../mysql/catalog/text.ts';
import { displayName } from '../../mysql/identifier.ts';
import { isApplierRunning, showReplicaStatus } from '../../mysql/show-replica-status.ts';
import type { SourceSide, ServerFacts } from '../facts.ts';
import { check } from '../finding.ts';
import { chosenFence } from './fence-kind.ts';

/** Without a fence that is proved to hold, "nothing lost" would be a hope. */
export const fenceCheck = check<SourceSide>(
  'fence',
  'writes on the source can be stopped, and proved to have stopped',
  async (facts) => {
    const { fence, config } = facts;
    const choice = await chosenFence(facts);
    if (fence === undefined || choice === null) {
      return [
        blocker(
          'source.fence',
          config.source.fence === undefined ? 'is not configured' : 'cannot log in',
          "CREATE USER skyferry_fence IDENTIFIED BY '…' REQUIRE SSL; GRANT SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN, REPLICATION CLIENT ON *.* TO skyferry_fence; and name it in source.fence",
        ),
      ];
    }
    return [
      ...alreadyReadOnly(facts),
      ...(await replicates(facts)),
      ...(choice.refused === undefined
        ? []
        : [blocker(`fence account ${fence.user}`, choice.refused, choice.fix)]),
      ...(choice.kind?.startsWith('account-lock') === true ? await lockable(facts, fence) : []),
      ...(choice.kind === 'account-lock' ? await bypasses(facts) : []),
      ...(choice.kind === 'account-lock' ? await events(facts) : []),
      ...(await preparedXa(fence)),
    ];
  },
);

function blocker(object: string, found: string, fix: string) {
  return { severity: 'blocker' as const, object, found, fix };
}

/** No fence stops what another server sends: the cutover would refuse each time. */
async function replicates({ source }: SourceSide) {
  const channels = await showReplicaStatus(source.connection).catch((error: unknown) => {
    // Without REPLICATION CLIENT: said elsewhere.
    if (isFailure(error, 'ACCESS_DENIED')) return [];
    throw error;
  });
  const updates = source.variable('log_replica_updates') ?? source.variable('log_slave_updates');
  return channels.filter(isApplierRunning).map((row) => {
    const from = `${text(row['Source_Host'] ?? row['Master_Host'])}:${text(row['Source_Port'] ?? row['Master_Port'])}`;
    const object = `source's own replication from ${from}`;
    if (updates === 'OFF') {
      const found =
        'is not in its binlog (log_replica_updates is OFF): what it brings would be lost';
      return blocker(object, found, `name ${from} as the source, or set log_replica_updates = ON in my.cnf and restart`); // prettier-ignore
    }
    return {
      severity: 'warning' as const,
      object,
      found: 'goes on writing under every fence: while it runs, the cutover is refused',
      fix: `STOP REPLICA; before the cutover, or name ${from} as the source`,
    };
  });
}

function alreadyReadOnly({ source, config }: SourceSide) {
  const readOnly = ['read_only', 'super_read_only'].filter(
    (name) => source.variable(name) === 'ON',
  );
  if (readOnly.length === 0) return [];
  return [
    blocker(
      `source ${readOnly.join(', ')}`,
      'is ON: whose fence it is cannot be told, and the cutover would not lift it',
      config.source.kind === 'mysql'
        ? 'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF;'
        : "set read_only to 0 in the instance's own parameter group",
    ),
  ];
}

/** Whom the lock of accounts reaches, and whom it does not. */
async function lockable({ config, source }: SourceSide, fence: ServerFacts) {
  const { applicationAccounts: named } = config.cutover;
  const accounts = await readAccounts(fence.connection, config.schemas);
  const own = [fence.user, source.user];
  const { covered, forgotten, administrators } = cover(accounts, own, named);
  const there = new Set(accounts.map(keyOf));
  const absent = named.filter((account) => !there.has(keyOf(account)));
  const shared = named.filter(({ user }) => own.includes(user));
  const writing = accounts.filter(({ user, writes }) => own.includes(user) && writes);
  const list = (all: readonly { user: string; host: string }[]) =>
    all.map(displayAccount).join(', ');
  const outcome = (severity: 'info' | 'warning', object: string, found: string, fix?: string) => ({
    severity,
    object,
    found,
    ...(fix !== undefined && { fix }),
  });
  return [
    ...(covered.some(({ locked }) => !locked)
      ? [outcome('info', list(covered), 'is locked during the cutover, whatever else it does')]
      : [
          blocker(
            'accounts of the source',
            'none that is not locked already may write in the migrated schemas: there is nothing to lock',
            'name the applications in cutover.applicationAccounts',
          ),
        ]),
    ...(absent.length > 0
      ? [blocker(list(absent), 'is not an account of the source', 'correct its name and host')]
      : []),
    ...(shared.length > 0
      ? [
          blocker(
            list(shared),
            'is an application’s account and the one of this migration, which cannot lock itself out: the application would go on writing',
            'give the migration an account of its own (source.user, source.fence)',
          ),
        ]
      : []),
    ...(forgotten.length > 0
      ? [
          blocker(
            list(forgotten),
            'may write in the migrated schemas and would not be locked',
            'name it in cutover.applicationAccounts, or take its rights; an account without a name: DROP USER',
          ),
        ]
      : []),
    ...(administrators.length > 0
      ? [
          outcome(
            'info',
            list(administrators),
            'may write and could unlock itself: it is not locked, and must not be logged in during the cutover',
            'or name it in cutover.applicationAccounts',
          ),
        ]
      : []),
    ...(writing.length > 0
      ? [
          outcome(
            'warning',
            list(writing),
            'may write and is used by this migration, so it is not locked',
            'no application may use it: give the migration an account of its own',
          ),
        ]
      : []),
  ];
}

async function bypasses({ config, source }: SourceSide) {
  const found = await writtenThrough(source.connection, config.schemas);
  if (found.length === 0) return [];
  return [
    {
      severity: 'warning' as const,
      object: found.map(displayName).join(', '),
      found:
        'may write in the migrated schemas by the rights of its definer: whoever uses it need not be locked; a write is seen behind the fence, and the cutover taken back',
      fix: 'name every application in cutover.applicationAccounts, those that use it too',
    },
  ];
}

async function events({ config, source }: SourceSide) {
  const running = await runningEvents(source.connection, config.schemas);
  if (running.length === 0) return [];
  const object = `events ${running.map(displayName).join(', ')}`;
  if (config.source.kind === 'rds-mysql') {
    const found =
      'run on whatever becomes of their definer: the parameter event_scheduler is OFF from right before the lock, and put back when the cutover is taken back';
    return [{ severity: 'info' as const, object, found }];
  }
  return [
    {
      severity: 'warning' as const,
      object,
      found:
        "run on, whatever becomes of their definer's account: while they do, the cutover is refused",
      fix: 'SET GLOBAL event_scheduler = OFF shortly before the cutover',
    },
  ];
}

async function preparedXa(fence: ServerFacts) {
  if (!fence.grants.global('XA_RECOVER_ADMIN')) return [];
  const prepared = await fence.connection.query('XA RECOVER');
  if (prepared.length === 0) return [];
  return [
    {
      severity: 'warning' as const,
      object: `${prepared.length} prepared XA transactions`,
      found: 'can be committed under the fence, so the cutover refuses while there are any',
      fix: 'XA RECOVER; then XA COMMIT or XA ROLLBACK each',
    },
  ];
}
