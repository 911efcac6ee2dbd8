import type { Holder } from '../../checkpoint/epoch.ts';
import { assertEpoch } from '../../checkpoint/epoch.ts';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { GtidSet } from '../../mysql/gtid-set.ts';
import { Grants } from '../../mysql/grants.ts';
import { checkSource } from '../../replicate/check-source.ts';
import { accountName, createAccount } from './account.ts';
import { notOurs } from './failures.ts';
import type { NativeJob } from './job.ts';
import { dueKnobs, setKnobs } from './knobs.ts';
import { isRemoved, later, memoryOf, rememberNative, wasBegun } from './memory.ts';
import type { NativeMemory } from './memory.ts';
import { readExecutedOf } from './read-applied.ts';
import type { ReplicaStatus } from './replica-status.ts';
import { readReplicaStatus } from './replica-status.ts';
import type { ReplicationTls, Steering } from './steering.ts';
import { chooseSteering } from './steering.ts';
import { whileSteering } from './while-steering.ts';

/**
 * Makes sure that the target's own replication runs, from exactly where the checkpoint says; what is set up
 * already is taken over where it stands. Killed anywhere it can be called again. `removed`: the cutover
 * does not want it any more. MIGRATION_CONFLICT when something else replicates there.
 */
export async function attach(
  job: NativeJob,
  holder: Holder,
  signal: AbortSignal,
): Promise<'attached' | 'removed'> {
  return await withConnection(job.target, { signal }, async (target) =>
    whileSteering(target, job.migration, async () => {
      // Under the lock: a worker that was frozen until now must not start what others have stopped.
      await assertEpoch(target, holder);
      const checkpoint = await requireCheckpoint(target, job.migration);
      if (isRemoved(checkpoint)) return 'removed';
      const grants = await Grants.read(target);
      const steering = chooseSteering(grants);
      const found = await readReplicaStatus(target);
      if (found === null) {
        await configure(job, target, checkpoint, steering, signal);
        await setKnobsOnce(job, target, checkpoint, grants);
      } else if (!isOurs(found, memoryOf(checkpoint))) {
        throw notOurs(found);
      }
      await run(job, target, steering);
      return 'attached';
    }),
  );
}

export function isOurs(found: ReplicaStatus, { source }: NativeMemory): boolean {
  if (source === undefined || source === null) return false;
  return found.host === source.host && found.port === source.port && found.user === source.user;
}

/** The filter is gone when the target was restarted; what it kept away must not come in. */
async function run(job: NativeJob, target: Connection, steering: Steering): Promise<void> {
  const status = await readReplicaStatus(target);
  if (status === null) throw new SkyferryFailure('TRANSIENT', 'the replication is not set up');
  const schemas = schemasOf(job);
  if (isFiltered(status, steering, schemas)) {
    if (status.applier === 'running' && status.receiver !== 'stopped') return;
  } else {
    if (status.applier === 'running') await steering.stop(target);
    await steering.filter(target, schemas);
  }
  await steering.start(target);
}

export function isFiltered(
  { filter }: ReplicaStatus,
  steering: Steering,
  schemas: readonly string[],
): boolean {
  const wanted = steering.filterFor(schemas);
  return wanted === null || wanted === filter;
}

export function schemasOf({ catalog }: Pick<NativeJob, 'catalog'>): string[] {
  return catalog.schemas.map(({ name }) => name);
}

async function configure(
  job: NativeJob,
  target: Connection,
  checkpoint: Checkpoint,
  steering: Steering,
  signal: AbortSignal,
): Promise<void> {
  const { source, migration } = job;
  await checkSource(source, checkpoint, signal);
  const { position } = checkpoint;
  if (position === null) throw new SkyferryFailure('INTERNAL', 'no position to replicate from');
  if (!wasBegun(checkpoint)) await refuseForeignGtids(target, checkpoint);
  const user = job.account?.user ?? accountName(checkpoint);
  const { host, port } = job.sourceSeen ?? source;
  await rememberNative(target, migration, {
    source: { host, port, user },
    ...(job.account === undefined && { created: user }),
  });
  const login = job.account ?? (await createAccount(source, user));
  const from = later(position, memoryOf(checkpoint).stoppedAt);
  await steering.configure(target, { host, port, ...login, from, tls: tlsOf(job) });
}

/** MySQL skips what it believes to have executed: what this migration has not applied would be left out. */
async function refuseForeignGtids(
  target: Connection,
  { position, sourceUuid }: Checkpoint,
): Promise<void> {
  const known = GtidSet.parse(position?.gtidSet ?? '');
  const claimed = (await readExecutedOf(target, known, sourceUuid)).subtract(known);
  if (claimed.isEmpty()) return;
  throw new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `gtid_executed of the target names ${claimed.size()} transactions of the source that this migration has not applied: MySQL's replication would leave them out`,
    {
      safe: 'replication was not begun; the target is as of the last applied position',
      next: 'abort, and begin again with engine: built-in, or with another target',
    },
  );
}

function tlsOf({ source, sourceCaFile }: NativeJob): ReplicationTls {
  const tls: Endpoint['tls'] = source.tls;
  if (tls.mode === 'disabled') return { mode: 'disabled' };
  return {
    mode: 'encrypted',
    ...(tls.ca !== undefined && { caText: tls.ca }),
    ...(sourceCaFile !== undefined && { caFile: sourceCaFile }),
  };
}

async function setKnobsOnce(
  { migration, workers }: NativeJob,
  target: Connection,
  checkpoint: Checkpoint,
  grants: Grants,
): Promise<void> {
  const due = await dueKnobs(target, grants, workers);
  if (due.length === 0) return;
  const found = Object.fromEntries(due.map(({ name, former }) => [name, former]));
  // What an earlier attempt found is older, so it is the truth.
  await rememberNative(target, migration, {
    formers: { ...found, ...memoryOf(checkpoint).formers },
  });
  await setKnobs(target, due);
}
