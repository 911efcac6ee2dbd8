import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { SkyferryFailure } from '../failures.ts';
import type { MigrationStatus } from '../workflows/messages.ts';
import { workflowId } from '../workflows/messages.ts';
import type { MigrationReport } from '../workflows/results.ts';

/** Temporal could not be reached, or nobody behind it answered in time. */
export class TemporalUnreachable extends Error {
  readonly code: 'TEMPORAL_UNREACHABLE' | 'NO_WORKER';
  readonly next: string;
  constructor(message: string, next: string, code: TemporalUnreachable['code']) {
    super(message);
    this.next = next;
    this.code = code;
  }
}

export interface Session extends AsyncDisposable {
  readonly client: Client;
  readonly address: string;
}

const CONNECT_TIMEOUT = '5s';

/** Connects as Temporal's own CLI does: its profiles and TEMPORAL_* variables count. */
export async function connectTemporal(): Promise<Session> {
  // Imported here: a quarter of a second that `validate` and `--help` do not need.
  const [{ Client, Connection }, { loadClientConnectConfig }, address] = await Promise.all([
    import('@temporalio/client'),
    import('@temporalio/envconfig'),
    temporalAddress(),
  ]);
  const { connectionOptions, namespace } = loadClientConnectConfig();
  try {
    const connection = await Connection.connect({
      ...connectionOptions,
      connectTimeout: CONNECT_TIMEOUT,
    });
    const client = new Client({ connection, ...(namespace !== undefined && { namespace }) });
    return { client, address, [Symbol.asyncDispose]: () => connection.close() };
  } catch {
    throw unreachable(address);
  }
}

export async function temporalAddress(): Promise<string> {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  return loadClientConnectConfig().connectionOptions.address ?? 'localhost:7233';
}

export function unreachable(address: string): TemporalUnreachable {
  return new TemporalUnreachable(
    `Temporal cannot be reached at ${address}`,
    'set TEMPORAL_ADDRESS or a profile of the temporal CLI; for one on this machine: skyferry dev up',
    'TEMPORAL_UNREACHABLE',
  );
}

export function migrationHandle({ client }: Session, name: string): WorkflowHandle {
  return client.workflow.getHandle(workflowId(name));
}

/** temporal.api.enums.v1.TaskQueueType; the package of the enum takes long to load. */
const WORKFLOW_TASK_QUEUE = 1;

/** How many workers poll a queue: without one a query hangs and nothing goes on. */
export async function countWorkers({ client }: Session, taskQueue: string): Promise<number> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- its package is not loaded for one number
    taskQueueType: WORKFLOW_TASK_QUEUE,
  });
  const recent = Date.now() - 70_000;
  return (pollers ?? []).filter((p) => Number(p.lastAccessTime?.seconds ?? 0) * 1000 > recent)
    .length;
}

/** The latest run of a migration. */
export async function describeMigration(
  session: Session,
  name: string,
): Promise<WorkflowExecutionDescription> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    return await migrationHandle(session, name).describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new SkyferryFailure(
      'MIGRATION_CONFLICT',
      `Temporal at ${session.address} knows no ${workflowId(name)}`,
      { next: 'see that name, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are the right ones; skyferry start begins one' }, // prettier-ignore
    );
  }
}

const QUERY_DEADLINE_MS = 10_000;

/**
 * A query with a deadline; when none answers, says whether a worker polls at all. A run that has come to
 * its end left its report as its result, for which nobody has to be asked.
 */
export async function askForReport(
  session: Session,
  name: string,
  description: WorkflowExecutionDescription,
): Promise<MigrationReport> {
  const handle = migrationHandle(session, name);
  if (description.status.name === 'COMPLETED') return (await handle.result()) as MigrationReport;
  return await query<MigrationReport>(session, description, 'report');
}

export async function askForStatus(
  session: Session,
  name: string,
  description: WorkflowExecutionDescription,
): Promise<MigrationStatus> {
  if (description.status.name !== 'COMPLETED') {
    return await query<MigrationStatus>(session, description, 'status');
  }
  return (await askForReport(session, name, description)).status;
}

async function query<T>(
  session: Session,
  description: WorkflowExecutionDescription,
  type: 'status' | 'report',
): Promise<T> {
  // Known at once, while the query would wait for its deadline.
  if ((await countWorkers(session, description.taskQueue)) === 0) throw noWorker(description);
  const handle = session.client.workflow.getHandle(description.workflowId);
  try {
    return await session.client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () =>
      handle.query<T>(type),
    );
  } catch (error) {
    const { QueryNotRegisteredError } = await import('@temporalio/client');
    // Every version registers it: this one did not even get to where that is done.
    if (error instanceof QueryNotRegisteredError) throw await unfit(session, description);
    if (!isUnanswered(error)) throw error;
    if ((await countWorkers(session, description.taskQueue)) === 0) throw noWorker(description);
    throw new TemporalUnreachable(
      `The workers of the task queue "${description.taskQueue}" did not answer within ${QUERY_DEADLINE_MS / 1000} s`,
      'see whether one runs, and what it logs; or start one: skyferry worker',
      'NO_WORKER',
    );
  }
}

async function unfit(
  session: Session,
  { workflowId: id, status }: WorkflowExecutionDescription,
): Promise<SkyferryFailure> {
  if (status.name === 'FAILED') {
    const why: unknown = await session.client.workflow.getHandle(id).result().catch(causeOf);
    return new SkyferryFailure('CONFIG_INVALID', `${id} ended before it began: ${String(why)}`, {
      safe: 'nothing was changed',
      next: 'skyferry validate, then skyferry start',
    });
  }
  return new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `${id} was begun by another version of Skyferry than the one that the worker runs, and this one cannot carry its history on`,
    {
      safe: 'the workflow stands still; no row is lost: what is done is in the checkpoint on the target',
      next: `start the worker of the version that began it; or let this one take the migration up from its checkpoint: temporal workflow terminate -w ${id}, then skyferry start`,
    },
  );
}

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);

function noWorker({ status, taskQueue }: WorkflowExecutionDescription): TemporalUnreachable {
  const so =
    status.name === 'RUNNING'
      ? 'so the migration does not go on and cannot answer'
      : `and only a worker can say where the migration was when it ended (${status.name})`;
  return new TemporalUnreachable(
    `No worker polls the task queue "${taskQueue}", ${so}`,
    'start one: skyferry worker',
    'NO_WORKER',
  );
}

/** CANCELLED (the client's own deadline may show as that), DEADLINE_EXCEEDED, FAILED_PRECONDITION. */
const UNANSWERED: ReadonlySet<unknown> = new Set([1, 4, 9]);

/** Out of time, or refused at once because no worker has polled lately. */
export function isUnanswered(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if ('code' in e && UNANSWERED.has(e.code)) return true;
  }
  return false;
}
