import type { WorkflowHandle } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';
import { TASK_QUEUE } from '../../src/workflows/messages.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';
import { startTemporal } from '../servers.ts';
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
  events(): Promise<string[]>;
}

/** One Temporal server and one workflow bundle for a test file; a worker and task queue for each run. */
export class Lab implements AsyncDisposable {
  readonly client: Client;
  readonly #server: { address: string; stop(): Promise<void> };
  readonly #connection: NativeConnection;
  readonly #code: string;
  readonly #workers: { worker: Worker; done: Promise<void>; queue: string }[] = [];
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
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const [server, bundle] = await Promise.all([startTemporal(), bundleWorkflows()]);
    const connection = await NativeConnection.connect({ address: server.address });
    const client = new Client({
      connection: await Connection.connect({ address: server.address }),
    });
    return new Lab(server, client, connection, bundle.code);
  }

  async startWorker(
    script: Script,
    queue: string,
  ): Promise<{ calls: string[]; stop(): Promise<void> }> {
    const { activities, calls } = scripted(script);
    const worker = await Worker.create({
      connection: this.#connection,
      taskQueue: queue,
      workflowBundle: { code: this.#code },
      activities,
      // A cancellation travels with a heartbeat.
      maxHeartbeatThrottleInterval: '200ms',
      shutdownGraceTime: '100ms',
      shutdownForceTime: '5s',
    });
    const entry = { worker, done: worker.run(), queue };
    this.#workers.push(entry);
    return {
      calls,
      stop: async () => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await entry.done;
      },
    };
  }

  async start(
    script: Script,
    input: (name: string) => MigrationConfig,
    options: { args?: unknown[] } = {},
  ): Promise<Run> {
    const name = `run-${++this.#count}`;
    const queue = `${TASK_QUEUE}-${name}`;
    const { calls } = await this.startWorker(script, queue);
    const handle = await this.client.workflow.start('migrateDatabase', {
      taskQueue: queue,
      workflowId: `migration/${name}`,
      args: options.args ?? [input(name)],
    });
    return new LabRun(this.client, handle, calls);
  }

  queueOf(handle: WorkflowHandle): string {
    return `${TASK_QUEUE}-${handle.workflowId.replace('migration/', '')}`;
  }

  async stopWorkers(queue: string): Promise<void> {
    await Promise.all(
      this.#workers
        .filter((entry) => entry.queue === queue)
        .map(async ({ worker, done }) => {
          if (worker.getState() === 'RUNNING') worker.shutdown();
          await done;
        }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#workers.map(async ({ worker, done }) => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await done;
      }),
    );
    await this.#connection.close();
    await this.client.connection.close();
    await this.#server.stop();
  }
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

  async events(): Promise<string[]> {
    const { runId } = await this.handle.describe();
    const { events } = await this.#client.workflow
      .getHandle(this.handle.workflowId, runId)
      .fetchHistory();
    return (events ?? []).map(({ eventType }) => String(eventType));
  }
}
