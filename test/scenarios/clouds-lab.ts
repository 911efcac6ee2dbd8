import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { MigrationConfig } from '../../src/config/schema.ts';
import type { LoggedRequest } from '../../src/sandbox/clouds/gateway.ts';
import type { FaultRule } from '../../src/sandbox/clouds/service.ts';
import {
  CA,
  prepareCloudsDemoFiles,
  scenePasswords,
  writeCloudsConfig,
} from '../../src/sandbox/demo/clouds/files.ts';
import type { Scene } from '../../src/sandbox/demo/clouds/scene.ts';
import { setScene } from '../../src/sandbox/demo/clouds/scene.ts';
import { launch } from '../../src/sandbox/process/launch.ts';
import type { SecretsFolder } from '../../src/sandbox/secrets-folder.ts';
import { openSecretsFolder } from '../../src/sandbox/secrets-folder.ts';
import { TASK_QUEUE, workflowId } from '../../src/workflows/messages.ts';
import type { TestClouds } from '../clouds.ts';
import { startClouds } from '../clouds.ts';
import { startTemporal } from '../servers.ts';
import { CloudsRun } from './clouds-run.ts';
import { fillShop, prepareSource, SCHEMA } from './clouds-shop.ts';
import { MAIN, WorkerProcess } from './lab.ts';

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
  readonly secrets: SecretsFolder;
  /** From the scene's instance to a server that is made. */
  readonly config: MigrationConfig;
  readonly #temporal: { address: string; stop(): Promise<void> };
  readonly #folder: string;
  readonly #workers: WorkerProcess[] = [];
  #worker: WorkerProcess | null = null;

  private constructor(
    given: Pick<CloudsLab, 'clouds' | 'client' | 'scene' | 'secrets' | 'config'>,
    server: { address: string; stop(): Promise<void> },
    folder: string,
  ) {
    this.clouds = given.clouds;
    this.client = given.client;
    this.scene = given.scene;
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
      engine: 'built-in',
      lowerCase: false,
      clouds,
      ca: clouds.ca,
      passwords,
      schemas: [SCHEMA],
      fill: fillShop,
      signal: new AbortController().signal,
      say: () => {},
    });
    if (sourceIsReady) await prepareSource(scene.superuser);
    const config = await writeCloudsConfig(await prepareCloudsDemoFiles(folder), scene, 'built-in');
    const connection = await Connection.connect({ address: server.address });
    const client = new Client({ connection });
    return new CloudsLab({ clouds, client, scene, secrets, config }, server, folder);
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
    return new CloudsRun(this.client, handle);
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
