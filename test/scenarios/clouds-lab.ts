import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import type { LoggedRequest } from '../../src/sandbox/clouds/gateway.ts';
import type { FaultRule } from '../../src/sandbox/clouds/service.ts';
import {
  CA,
  prepareCloudsDemoFiles,
  scenePasswords,
  writeCloudsConfig,
} from '../../src/sandbox/demo/clouds/files.ts';
import type { Scene, ScenePasswords } from '../../src/sandbox/demo/clouds/scene.ts';
import { setScene } from '../../src/sandbox/demo/clouds/scene.ts';
import type { Sight } from '../../src/sandbox/demo/follow.ts';
import { look } from '../../src/sandbox/demo/follow.ts';
import { launch } from '../../src/sandbox/process/launch.ts';
import type { SecretsFolder } from '../../src/sandbox/secrets-folder.ts';
import { openSecretsFolder } from '../../src/sandbox/secrets-folder.ts';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';
import { TASK_QUEUE, workflowId } from '../../src/workflows/messages.ts';
import type { TestClouds } from '../clouds.ts';
import { startClouds } from '../clouds.ts';
import { startTemporal } from '../servers.ts';
import { MAIN, WorkerProcess } from './lab.ts';

const SCHEMA = 'shop';
const PHASE_MS = 50_000;
/** The servers are there; each of them may last a moment only. */
export const prepared = ['provisioning', 'full-load', 'catching-up', 'resizing'] as const;
const { TIMEOUT_TYPE_HEARTBEAT } = temporal.api.enums.v1.TimeoutType;
const { PENDING_ACTIVITY_STATE_STARTED } = temporal.api.enums.v1.PendingActivityState;

/** One operation of one service of the clouds. */
export interface Call {
  readonly service: string;
  readonly operation: string;
}

/** Clouds, a scene in them, Temporal, and workers as processes of their own. */
export class CloudsLab {
  readonly clouds: TestClouds;
  readonly client: Client;
  readonly scene: Scene;
  readonly passwords: ScenePasswords;
  readonly secrets: SecretsFolder;
  /** From the scene's instance to a server that is made. */
  readonly config: MigrationConfig;
  readonly #temporal: { address: string; stop(): Promise<void> };
  readonly #folder: string;
  readonly #workers: WorkerProcess[] = [];
  #worker: WorkerProcess | null = null;

  private constructor(
    given: Pick<CloudsLab, 'clouds' | 'client' | 'scene' | 'passwords' | 'secrets' | 'config'>,
    server: { address: string; stop(): Promise<void> },
    folder: string,
  ) {
    this.clouds = given.clouds;
    this.client = given.client;
    this.scene = given.scene;
    this.passwords = given.passwords;
    this.secrets = given.secrets;
    this.config = given.config;
    this.#temporal = server;
    this.#folder = folder;
  }

  /** `sourceIsReady`: nothing is left to do on it. */
  static async open({ sourceIsReady = false } = {}): Promise<CloudsLab> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: npm run build`);
    const folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
    const [server, clouds] = await Promise.all([startTemporal(), startClouds()]);
    const secrets = await openSecretsFolder(join(folder, 'secrets'));
    await secrets.write(CA, clouds.ca);
    const passwords = await scenePasswords(secrets);
    const scene = await setScene({
      clouds,
      ca: clouds.ca,
      passwords,
      schemas: [SCHEMA],
      fill: fillShop,
      signal: new AbortController().signal,
      say: () => {},
    });
    if (sourceIsReady) await prepareSource(scene.superuser);
    const config = await writeCloudsConfig(await prepareCloudsDemoFiles(folder), scene);
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    return new CloudsLab({ clouds, client, scene, passwords, secrets, config }, server, folder);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.kill();
    await Promise.all(this.#workers.map(async (worker) => await worker.stop()));
    await this.client.connection.close();
    await Promise.all([this.#temporal.stop(), this.clouds.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  startWorker(): void {
    const log = join(this.#folder, `worker-${this.#workers.length + 1}.log`);
    const child = launch({
      command: [process.execPath, MAIN, 'worker', '--secrets', this.secrets.path],
      logFile: log,
      life: { mode: 'bound' },
      identityFile: `${log}.pid`,
      env: {
        ...process.env,
        ...this.clouds.env,
        TEMPORAL_ADDRESS: this.#temporal.address,
        NO_COLOR: '1',
      },
    });
    const worker = new WorkerProcess(child, log);
    this.#workers.push(worker);
    this.#worker = worker;
  }

  async migrate(config: MigrationConfig): Promise<CloudsRun> {
    const handle = await this.client.workflow.start('migrateDatabase', {
      workflowId: workflowId(config.name),
      taskQueue: TASK_QUEUE,
      args: [config],
    });
    return new CloudsRun(this, handle);
  }

  /** The one that runs; null after it was killed. */
  get worker(): WorkerProcess | null {
    return this.#worker;
  }

  /** SIGKILL. */
  killWorker(): void {
    this.#worker?.kill();
    this.#worker = null;
  }

  /** What all workers have written. */
  async workerLogs(): Promise<string> {
    const texts = await Promise.all(this.#workers.map(({ log }) => readFile(log, 'utf8')));
    return texts.join('\n');
  }

  /** Requests of that kind, those that were answered with success alone if so wanted. */
  async requests({ service, operation }: Call, only?: 'done'): Promise<LoggedRequest[]> {
    const all = await this.clouds.requests();
    return all.filter(
      (one) =>
        one.service === service &&
        one.operation === operation &&
        (only === undefined || (one.status !== null && one.status < 300)),
    );
  }

  async untilRequested(call: Call, count: number, withinMs = 60_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while ((await this.requests(call)).length < count) {
      if (Date.now() > deadline) throw new Error(`never ${call.operation}, ${count} times`);
      await sleep(15);
    }
  }

  async faults(...rules: FaultRule[]): Promise<void> {
    await this.clouds.faults(rules);
  }

  async noMoreFaults(): Promise<void> {
    await this.clouds.fetch('/_faults', { method: 'DELETE' });
  }
}

/** One migration, seen from outside of its worker. */
export class CloudsRun {
  readonly handle: WorkflowHandle;
  readonly #lab: CloudsLab;

  constructor(lab: CloudsLab, handle: WorkflowHandle) {
    this.#lab = lab;
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
    const { raw, runId } = await this.handle.describe();
    const { workflowService } = this.#lab.client;
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
      await workflowService.resetActivity({ namespace, execution, id: activityId });
    }
    await workflowService.resetStickyTaskQueue({ namespace, execution });
  }
}

/** As its parameter group would after its reboots. */
async function prepareSource(superuser: Endpoint): Promise<void> {
  await withConnection(superuser, {}, async (connection) => {
    for (const setting of [
      'binlog_format = ROW',
      'binlog_row_image = FULL',
      'enforce_gtid_consistency = ON',
      'gtid_mode = OFF_PERMISSIVE',
      'gtid_mode = ON_PERMISSIVE',
      'gtid_mode = ON',
    ]) {
      await connection.query(`SET GLOBAL ${setting}`);
    }
  });
}

async function fillShop(superuser: Endpoint): Promise<string> {
  await withConnection(superuser, {}, async (connection) => {
    await connection.query(`CREATE DATABASE ${SCHEMA}`);
    await connection.query(`USE ${SCHEMA}`);
    for (const statement of [
      'CREATE TABLE customer (id int PRIMARY KEY AUTO_INCREMENT, name varchar(60) NOT NULL)',
      'CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, customer int, total decimal(12,2), FOREIGN KEY (customer) REFERENCES customer (id))',
      "INSERT INTO customer (name) VALUES ('ann'), ('eve'), ('tom')",
      'INSERT INTO orders (customer, total) SELECT id, id * 1.25 FROM customer',
    ]) {
      await connection.query(statement);
    }
  });
  return 'a small shop';
}
