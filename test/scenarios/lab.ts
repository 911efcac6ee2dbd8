import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';
import type { CutoverState } from '../../src/cutover/journal.ts';
import { CutoverJournal } from '../../src/cutover/journal.ts';
import { readCatalog } from '../../src/mysql/catalog/read.ts';
import type { Row } from '../../src/mysql/connection.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { awaitApplied } from '../../src/replicate/await-applied.ts';
import { stopServers } from '../../src/sandbox/down.ts';
import type { Sight } from '../../src/sandbox/demo/follow.ts';
import { look } from '../../src/sandbox/demo/follow.ts';
import type { LaunchedProcess } from '../../src/sandbox/process/launch.ts';
import { launch } from '../../src/sandbox/process/launch.ts';
import { runningIn } from '../../src/sandbox/process/identity.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { configuredServers, passwordFiles } from '../../src/sandbox/sandbox.ts';
import { layoutOf } from '../../src/sandbox/state.ts';
import { up } from '../../src/sandbox/up.ts';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';
import { TASK_QUEUE, workflowId } from '../../src/workflows/messages.ts';
import { FaultProxy } from '../fault-proxy.ts';
import { differences, LCTN, binlogEnd } from '../replicate/lab.ts';
import { Application, definitions, SCHEMA } from './application.ts';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A worker as it is installed, in a process of its own. */
export class WorkerProcess {
  readonly #child: LaunchedProcess;
  readonly log: string;

  constructor(child: LaunchedProcess, log: string) {
    this.#child = child;
    this.log = log;
  }

  /** SIGKILL, as when its machine is lost. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  /** SIGSTOP: it is there, and does nothing; nobody it talks to is told. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** SIGTERM, as a redeployment does. Says how it ended. */
  async stop(): Promise<string | null> {
    await this.#child.stop(30_000);
    // It is gone; that this process is told so may take a moment.
    while (this.#child.ended() === null) await sleep(10);
    return this.#child.ended();
  }

  /** Its guard and itself are one process group. */
  #signal(name: NodeJS.Signals): void {
    if (this.#child.ended() !== null) return;
    process.kill(-this.#child.identity.pid, name);
  }
}

/** A sandbox whose servers are reached through fault proxies, and workers as processes of their own. */
export class ScenarioLab {
  readonly sandbox: Sandbox;
  readonly client: Client;
  readonly toSource: FaultProxy;
  readonly toTarget: FaultProxy;
  readonly folder: string;
  readonly #workers: WorkerProcess[] = [];

  private constructor(
    sandbox: Sandbox,
    client: Client,
    toSource: FaultProxy,
    toTarget: FaultProxy,
    folder: string,
  ) {
    this.sandbox = sandbox;
    this.client = client;
    this.toSource = toSource;
    this.toTarget = toTarget;
    this.folder = folder;
  }

  static async open(): Promise<ScenarioLab> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: npm run build`);
    const folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
    const sandbox = await bringUp(folder);
    await mkdir(join(folder, 'application'));
    const [toSource, toTarget, connection] = await Promise.all([
      FaultProxy.open(sandbox.state.ports.source),
      FaultProxy.open(sandbox.state.ports.target),
      TemporalConnection.connect({ address: sandbox.temporal.address }),
    ]);
    return new ScenarioLab(sandbox, new Client({ connection }), toSource, toTarget, folder);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) {
      worker.thaw();
      worker.kill();
    }
    await Promise.all(this.#workers.map(async (worker) => await worker.stop()));
    await Promise.all([this.toSource.close(), this.toTarget.close()]);
    await this.client.connection.close();
    const layout = layoutOf(this.folder);
    await stopServers(layout, ['temporal', 'source', 'target']);
    await rm(this.folder, { recursive: true, force: true });
  }

  startWorker(): WorkerProcess {
    const log = join(this.folder, `worker-${this.#workers.length + 1}.log`);
    const child = launch({
      command: [
        process.execPath,
        MAIN,
        'worker',
        '--secrets',
        this.sandbox.secretsDir,
        '--switch-dir',
        join(this.folder, 'application'),
      ],
      logFile: log,
      life: { mode: 'bound' },
      identityFile: `${log}.pid`,
      env: { ...process.env, TEMPORAL_ADDRESS: this.sandbox.temporal.address, NO_COLOR: '1' },
    });
    const worker = new WorkerProcess(child, log);
    this.#workers.push(worker);
    return worker;
  }

  /** The database as it is before its migration, with the application writing to it. */
  async seed(): Promise<Application> {
    const { source, target } = this.sandbox;
    await this.query(source.superuser, 'SET GLOBAL super_read_only = OFF');
    await this.query(source.superuser, 'SET GLOBAL read_only = OFF');
    for (const side of [source, target]) {
      await this.query(side.superuser, `DROP DATABASE IF EXISTS ${SCHEMA}`);
    }
    await withConnection(source.superuser, {}, async (c) => {
      await c.query(`CREATE DATABASE ${SCHEMA}`);
      await c.query(`USE ${SCHEMA}`);
      for (const statement of definitions) await c.query(statement);
    });
    return this.resume(0);
  }

  /** The application goes on after so many transactions. */
  resume(transactions: number): Application {
    return new Application(this.sandbox.source.app, transactions);
  }

  async migrate(name: string, limits: Partial<MigrationConfig['limits']> = {}): Promise<Run> {
    const { ports } = this.sandbox.state;
    const file = join(this.folder, 'application', `${name}.url`);
    const from = `localhost:${ports.source}`;
    await writeFile(file, `mysql://app@${from}\n`);
    const { source, target } = configuredServers(this.sandbox);
    const config = migrationConfigSchema.parse({
      name,
      source: { ...source, port: this.toSource.port },
      target: { ...target, port: this.toTarget.port },
      schemas: [SCHEMA],
      cutover: {
        lagThreshold: '2s',
        lagSamples: 1,
        switches: [
          {
            consumer: 'app',
            kind: 'file',
            path: file,
            from,
            to: `localhost:${ports.target}`,
            account: { user: 'app', password: `\${file:${passwordFiles.target.app}}` },
          },
        ],
      },
      limits: { copyParallel: 2, chunkRows: 2000, applyBatchRows: 100, ...limits },
    });
    const handle = await this.client.workflow.start('migrateDatabase', {
      workflowId: workflowId(name),
      taskQueue: TASK_QUEUE,
      args: [config],
    });
    return new Run(this, name, handle, file);
  }

  async query<R extends Row = Row>(
    endpoint: Endpoint,
    sql: string,
    values: readonly string[] = [],
  ): Promise<R[]> {
    return await withConnection(endpoint, {}, async (c) => await c.query<R>(sql, values));
  }

  /** Temporal's server is killed and comes back on its database file. */
  async restartTemporal(): Promise<void> {
    const running = await runningIn(layoutOf(this.folder).server.temporal);
    if (running === null) throw new Error('no Temporal server runs');
    process.kill(-running.pid, 'SIGKILL');
    await sleep(500);
    await bringUp(this.folder);
  }
}

const bringUp = async (stateDir: string): Promise<Sandbox> =>
  await up({ stateDir, schemas: [SCHEMA], life: 'bound', progress: () => {} });

/** One migration, seen from outside of its worker. */
export class Run {
  readonly name: string;
  readonly handle: WorkflowHandle;
  /** The application's connection string. */
  readonly file: string;
  readonly #lab: ScenarioLab;

  constructor(lab: ScenarioLab, name: string, handle: WorkflowHandle, file: string) {
    this.#lab = lab;
    this.name = name;
    this.handle = handle;
    this.file = file;
  }

  /** Looks as Temporal sees it, which needs no worker. Fails when it parks in another phase. */
  async until(what: string, seen: (sight: Sight) => boolean, withinMs = 90_000): Promise<Sight> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const sight = await look(this.handle);
      if (seen(sight)) return sight;
      if (sight.phase === 'parked' || !sight.running || Date.now() > deadline) {
        const status = await this.handle.query<MigrationStatus>('status');
        throw new Error(`not ${what}: ${JSON.stringify({ sight, status }, null, 1)}`);
      }
      await sleep(20);
    }
  }

  async untilPhase(phase: Phase): Promise<Sight> {
    return await this.until(phase, (sight) => sight.phase === phase);
  }

  /** Attempts of a running activity; 0: it does not run. */
  async attempts(activity: string): Promise<number> {
    const { activities } = await look(this.handle);
    return activities.find(({ type }) => type === activity)?.attempt ?? 0;
  }

  async update(name: string, input: Record<string, string> = {}): Promise<void> {
    await this.handle.executeUpdate(name, { args: [{ by: 'tester', ...input }] });
  }

  /** Rows that differ once everything that the source has is applied; nobody may write meanwhile. */
  async differences(): Promise<Record<string, string>> {
    const { source, target } = this.#lab.sandbox;
    await this.untilApplied();
    const catalog = await withConnection(
      source.superuser,
      {},
      async (c) => await readCatalog(c, [SCHEMA]),
    );
    for (const { name } of catalog.tables) {
      const [row] = await this.#lab.query(
        target.superuser,
        `SELECT COUNT(*) AS n FROM ${SCHEMA}.${name.name}`,
      );
      if (Number(row?.['n']) < 100) throw new Error(`${name.name} is all but empty`);
    }
    const sides = { source: source.superuser, target: target.superuser };
    const job = { ...sides, catalog, migration: this.name, lctn: LCTN, batchRows: 1 };
    return await differences({ job, catalog });
  }

  /** Everything that the source has by now is committed on the target. */
  async untilApplied(withinMs = 40_000): Promise<void> {
    const { source, target } = this.#lab.sandbox;
    const end = await binlogEnd(source.superuser);
    await awaitApplied(target.superuser, this.name, end, {
      signal: AbortSignal.timeout(withinMs),
    });
  }

  async checkpoint() {
    return await withConnection(
      this.#lab.sandbox.target.superuser,
      {},
      async (c) => await readCheckpoint(c, this.name),
    );
  }

  async cutover(): Promise<CutoverState> {
    return await CutoverJournal.peek(this.#lab.sandbox.target.superuser, this.name);
  }

  /** Where the application is sent to. */
  async application(): Promise<string> {
    return await readFile(this.file, 'utf8');
  }

  async abort(): Promise<void> {
    await this.update('abort', { dropTarget: this.name });
    await this.handle.result();
  }
}

/** Polls fast: what is waited for may last a moment only. */
export async function eventually(
  what: string,
  is: () => Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(5);
  }
}
