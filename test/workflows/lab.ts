import type { WorkflowHandle } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { temporal } from '@temporalio/proto';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  makeTelemetryFilterString,
} from '@temporalio/worker';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';
import { TASK_QUEUE } from '../../src/workflows/messages.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import type { MigrationConfig } from '../../src/config/schema.ts';
import type { WorkerOptions } from '../../src/worker.ts';
import { createWorker } from '../../src/worker.ts';
import { startTemporal } from '../servers.ts';
import { workflowCode } from '../workflow-code.ts';
import type { Script } from './scripted.ts';
import { scripted } from './scripted.ts';

export interface Run {
  readonly handle: WorkflowHandle;
  readonly calls: string[];
  status(): Promise<MigrationStatus>;
  /** Waits until the workflow says so; fails with the last status when it never does. */
  until(what: (status: MigrationStatus) => boolean, withinMs?: number): Promise<MigrationStatus>;
  untilPhase(phase: Phase): Promise<MigrationStatus>;
  send(signal: string, input?: unknown): Promise<void>;
  report(): Promise<MigrationReport>;
  result(): Promise<MigrationReport>;
  /** The message of the failure that the workflow ended with. */
  failure(): Promise<string>;
  /** Temporal's Current Details. */
  details(): Promise<string>;
  pendingActivities(): Promise<string[]>;
  untilActivities(...names: string[]): Promise<void>;
  calledFor(activity: string): Promise<void>;
  /** The current run's whole history, payloads as the text that they hold. */
  historyText(): Promise<string>;
  /** The types of the current run's events. */
  events(): Promise<string[]>;
}

/** One Temporal server and one workflow bundle for a test file; a worker and task queue for each run. */
export class Lab implements AsyncDisposable {
  readonly client: Client;
  readonly #server: { address: string; stop(): Promise<void> };
  readonly #connection: NativeConnection;
  readonly #code: string;
  readonly #workers: Started[] = [];
  readonly #runs: WorkflowHandle[] = [];
  #count = 0;

  private constructor(
    server: { address: string; stop(): Promise<void> },
    client: Client,
    connection: NativeConnection,
    code: string,
  ) {
    this.#server = server;
    this.client = client;
    this.#connection = connection;
    this.#code = code;
  }

  static async open(): Promise<Lab> {
    // Runs are ended with activities still pending, which the SDK's core reports one by one.
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: {
        logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
      },
    });
    const [server, code] = await Promise.all([startTemporal(), workflowCode()]);
    const connection = await NativeConnection.connect({ address: server.address });
    const client = new Client({
      connection: await Connection.connect({ address: server.address }),
      identity: 'tester',
    });
    return new Lab(server, client, connection, code);
  }

  async startWorker(
    script: Script,
    queue: string,
    code = this.#code,
  ): Promise<{ calls: string[] }> {
    const { activities, calls } = scripted(script);
    const worker = await Worker.create({
      connection: this.#connection,
      taskQueue: queue,
      workflowBundle: { code },
      activities,
      // Recorded histories name no machine.
      identity: 'worker',
      // A cancellation travels with a heartbeat.
      maxHeartbeatThrottleInterval: '200ms',
      shutdownGraceTime: '100ms',
      shutdownForceTime: '3s',
    });
    const entry = { worker, done: worker.run(), queue };
    this.#workers.push(entry);
    return { calls };
  }

  async start(
    script: Script,
    input: (name: string) => MigrationConfig,
    options: { args?: unknown[] } = {},
  ): Promise<Run> {
    const name = `run-${++this.#count}`;
    const queue = `${TASK_QUEUE}-${name}`;
    const { calls } = await this.startWorker(script, queue);
    return await this.#begin(name, queue, calls, options.args ?? [input(name)]);
  }

  /** The worker as it is, on a queue of its own. */
  async startReal(
    options: WorkerOptions,
    env: NodeJS.ProcessEnv,
    input: (name: string) => MigrationConfig,
  ): Promise<Run> {
    const name = `run-${++this.#count}`;
    const taskQueue = `${TASK_QUEUE}-${name}`;
    const worker = await createWorker(options, {
      connection: this.#connection,
      namespace: 'default',
      code: this.#code,
      taskQueue,
      env,
    });
    this.#workers.push({ worker, done: worker.run(), queue: taskQueue });
    return await this.#begin(name, taskQueue, [], [input(name)]);
  }

  async #begin(name: string, taskQueue: string, calls: string[], args: unknown[]): Promise<Run> {
    const handle = await this.client.workflow.start('migrateDatabase', {
      taskQueue,
      workflowId: `migration/${name}`,
      args,
    });
    const run = new LabRun(this.client, handle, calls);
    this.#runs.push(run.handle);
    return run;
  }

  get address(): string {
    return this.#server.address;
  }

  queueOf(handle: WorkflowHandle): string {
    return `${TASK_QUEUE}-${handle.workflowId.replace('migration/', '')}`;
  }

  /** Between tests: nothing of one runs on while the next is timed. */
  async clear(): Promise<void> {
    const open = this.#runs.splice(0);
    await Promise.all(open.map(async (handle) => await handle.terminate().catch(() => {})));
    await Promise.all(this.#workers.splice(0).map(stop));
  }

  /** As if their processes had been killed: they stop polling, and what they run is never answered. */
  async abandonWorkers(queue: string): Promise<void> {
    await Promise.all(this.#workers.filter((entry) => entry.queue === queue).map(stop));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
    await this.#connection.close();
    await this.client.connection.close();
    await this.#server.stop();
  }
}

interface Started {
  readonly worker: Worker;
  readonly done: Promise<void>;
  readonly queue: string;
}

async function stop({ worker, done }: Started): Promise<void> {
  if (worker.getState() === 'RUNNING') worker.shutdown();
  // An activity that never answers ends the worker with an error, as it is meant to here.
  await done.catch(() => {});
}

class LabRun implements Run {
  readonly #client: Client;
  readonly handle: WorkflowHandle;
  readonly calls: string[];

  constructor(client: Client, handle: WorkflowHandle, calls: string[]) {
    this.#client = client;
    // Without a run id it follows continue-as-new.
    this.handle = client.workflow.getHandle(handle.workflowId);
    this.calls = calls;
  }

  async status(): Promise<MigrationStatus> {
    return await this.handle.query<MigrationStatus>('status');
  }

  async until(
    what: (status: MigrationStatus) => boolean,
    withinMs = 20_000,
  ): Promise<MigrationStatus> {
    const deadline = Date.now() + withinMs;
    let status = await this.status();
    while (!what(status)) {
      if (Date.now() > deadline) throw new Error(`never came: ${JSON.stringify(status, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      status = await this.status();
    }
    return status;
  }

  async untilPhase(phase: Phase): Promise<MigrationStatus> {
    return await this.until((status) => status.phase === phase);
  }

  async send(signal: string, input: unknown = { by: 'tester' }): Promise<void> {
    await this.handle.signal(signal, input);
  }

  async report(): Promise<MigrationReport> {
    return await this.handle.query<MigrationReport>('report');
  }

  async result(): Promise<MigrationReport> {
    return (await this.handle.result()) as MigrationReport;
  }

  async failure(): Promise<string> {
    try {
      await this.handle.result();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const type = cause instanceof ApplicationFailure ? cause.type : '';
      return `${type} ${cause instanceof Error ? cause.message : String(error)}`;
    }
    throw new Error('the workflow did not fail');
  }

  async details(): Promise<string> {
    const metadata = await this.handle.query<temporal.api.sdk.v1.IWorkflowMetadata>(
      '__temporal_workflow_metadata',
    );
    return metadata.currentDetails ?? '';
  }

  async pendingActivities(): Promise<string[]> {
    const { raw } = await this.handle.describe();
    return (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? '');
  }

  /** Watches are told to stop and not waited for, so it may take a heartbeat. */
  async untilActivities(...names: string[]): Promise<void> {
    await this.#eventually(
      async () => (await this.pendingActivities()).sort().join() === names.sort().join(),
      `other activities run than ${names.join()}`,
    );
  }

  async calledFor(activity: string): Promise<void> {
    await this.#eventually(async () => this.calls.includes(activity), `${activity} never ran`);
  }

  async #eventually(what: () => Promise<boolean>, otherwise: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!(await what())) {
      if (Date.now() > deadline) throw new Error(otherwise);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async historyText(): Promise<string> {
    const json = historyToJSON(await this.handle.fetchHistory());
    return json.replace(/"data":\s*"([^"]+)"/g, (_all, data: string) =>
      Buffer.from(data, 'base64').toString('utf8'),
    );
  }

  async events(): Promise<string[]> {
    const { runId } = await this.handle.describe();
    const { events } = await this.#client.workflow
      .getHandle(this.handle.workflowId, runId)
      .fetchHistory();
    return (events ?? []).map(
      ({ eventType }) => temporal.api.enums.v1.EventType[eventType ?? 0] ?? '',
    );
  }
}
