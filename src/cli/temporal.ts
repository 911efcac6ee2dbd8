import type { Client, WorkflowHandle } from '@temporalio/client';
import { TASK_QUEUE, workflowId } from '../workflows/messages.ts';

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
  const [{ Client, Connection }, { loadClientConnectConfig }] = await Promise.all([
    import('@temporalio/client'),
    import('@temporalio/envconfig'),
  ]);
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({
      ...connectionOptions,
      connectTimeout: CONNECT_TIMEOUT,
    });
    const client = new Client({ connection, ...(namespace !== undefined && { namespace }) });
    return { client, address, [Symbol.asyncDispose]: () => connection.close() };
  } catch (error) {
    throw new TemporalUnreachable(
      `Temporal cannot be reached at ${address} (${error instanceof Error ? error.name : 'unknown'})`,
      'set TEMPORAL_ADDRESS or a profile of the temporal CLI; for one on this machine: skyferry dev up',
      'TEMPORAL_UNREACHABLE',
    );
  }
}

export function migrationHandle({ client }: Session, name: string): WorkflowHandle {
  return client.workflow.getHandle(workflowId(name));
}

/** temporal.api.enums.v1.TaskQueueType; the package of the enum takes long to load. */
const WORKFLOW_TASK_QUEUE = 1;

/** How many workers poll Skyferry's queue: without one a query hangs and nothing goes on. */
export async function countWorkers({ client }: Session): Promise<number> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: TASK_QUEUE },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
    taskQueueType: WORKFLOW_TASK_QUEUE,
  });
  const recent = Date.now() - 70_000;
  return (pollers ?? []).filter((p) => Number(p.lastAccessTime?.seconds ?? 0) * 1000 > recent)
    .length;
}

const QUERY_DEADLINE_MS = 10_000;

/** A query with a deadline; when none answers, says whether a worker polls at all. */
export async function queryMigration<T>(
  session: Session,
  name: string,
  query: 'status' | 'plan' | 'report',
): Promise<T> {
  const handle = migrationHandle(session, name);
  try {
    return await session.client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () =>
      handle.query<T>(query),
    );
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    const workers = await countWorkers(session);
    throw new TemporalUnreachable(
      workers === 0
        ? `No worker polls the task queue "${TASK_QUEUE}", so the migration does not go on and cannot answer`
        : `The workers of the task queue "${TASK_QUEUE}" did not answer within ${QUERY_DEADLINE_MS / 1000} s`,
      'start one: skyferry worker',
      'NO_WORKER',
    );
  }
}

/** CANCELLED (the client's own deadline may show as that), DEADLINE_EXCEEDED, FAILED_PRECONDITION. */
const UNANSWERED: ReadonlySet<unknown> = new Set([1, 4, 9]);

/** Out of time, or refused at once because no worker has polled lately. */
function isUnanswered(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if ('code' in e && UNANSWERED.has(e.code)) return true;
  }
  return false;
}
