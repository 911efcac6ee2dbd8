import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Sight } from '../../src/sandbox/demo/follow.ts';
import { look } from '../../src/sandbox/demo/follow.ts';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';

const { TIMEOUT_TYPE_HEARTBEAT } = temporal.api.enums.v1.TimeoutType;
const { PENDING_ACTIVITY_STATE_STARTED } = temporal.api.enums.v1.PendingActivityState;

const PHASE_MS = 50_000;
const CONNECTIONS_GONE_MS = 400;
/** The servers are there; each of them may last a moment only. */
export const prepared = ['provisioning', 'full-load', 'catching-up', 'resizing'] as const;

/** One migration, seen from outside of its worker. */
export class CloudsRun {
  readonly handle: WorkflowHandle;
  readonly #client: Client;

  constructor(client: Client, handle: WorkflowHandle) {
    this.#client = client;
    this.handle = handle;
  }

  /** As Temporal sees it, which needs no worker. Fails when it parks meanwhile. */
  async untilPhase(...phases: readonly [Phase, ...Phase[]]): Promise<Sight> {
    const deadline = Date.now() + PHASE_MS;
    for (;;) {
      const sight = await look(this.handle);
      if (sight.phase !== undefined && phases.includes(sight.phase)) return sight;
      if (sight.phase === 'parked' || !sight.running || Date.now() > deadline) {
        throw new Error(`not ${phases.join()}: ${JSON.stringify(await this.status(), null, 1)}`);
      }
      await sleep(50);
    }
  }

  /** Why, once that is in the message. */
  async untilParked(because: string): Promise<MigrationStatus['failure']> {
    const deadline = Date.now() + PHASE_MS;
    // No worker may be there yet that could be asked.
    await this.untilPhase('parked');
    for (;;) {
      const { phase, failure } = await this.status();
      if (phase === 'parked' && failure?.message.includes(because) === true) return failure;
      if (Date.now() > deadline) throw new Error(`not parked for ${because}: ${failure?.message}`);
      await sleep(50);
    }
  }

  async status(): Promise<MigrationStatus> {
    return await this.handle.query<MigrationStatus>('status');
  }

  async update(name: string, input: Record<string, unknown> = {}): Promise<void> {
    await this.handle.executeUpdate(name, { args: [{ by: 'tester', ...input }] });
  }

  /**
   * Temporal is told of a dead worker what it would find out by itself: that heartbeats are missing,
   * after 10 seconds, and that nobody has the workflow in its cache.
   */
  async workerIsLost(): Promise<void> {
    // Until its connections are gone, what is tried again may be given to the dead one again.
    await sleep(CONNECTIONS_GONE_MS);
    const { raw, runId } = await this.handle.describe();
    const { workflowService } = this.#client;
    const namespace = 'default';
    const execution = { workflowId: this.handle.workflowId, runId };
    for (const { activityId = '', state } of raw.pendingActivities ?? []) {
      if (state !== PENDING_ACTIVITY_STATE_STARTED) continue;
      await workflowService.respondActivityTaskFailedById({
        namespace,
        ...execution,
        activityId,
        failure: {
          message: 'activity Heartbeat timeout',
          timeoutFailureInfo: { timeoutType: TIMEOUT_TYPE_HEARTBEAT },
        },
      });
      // Many are killed in a minute, and waiting is made longer each time.
      await workflowService
        .resetActivity({ namespace, execution, id: activityId })
        // It had one attempt only.
        .catch(() => {});
    }
    await workflowService.resetStickyTaskQueue({ namespace, execution });
  }
}
