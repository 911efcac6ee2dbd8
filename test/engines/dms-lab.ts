import { remember, requireCheckpoint } from '../../src/checkpoint/store.ts';
import type { Checkpoint } from '../../src/checkpoint/store.ts';
import { createAzureClients } from '../../src/clouds/azure/clients.ts';
import { DataMigrationService } from '../../src/clouds/azure/data-migration/service.ts';
import type { CopyResult } from '../../src/copy/copy-tables.ts';
import type { DmsEngineJob } from '../../src/engines/azure-dms.ts';
import { azureDmsEngine, azureDmsRemains } from '../../src/engines/azure-dms.ts';
import type { EngineRemains, ReplicationEngine } from '../../src/engines/engine.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { awaitApplied } from '../../src/replicate/await-applied.ts';
import { sandboxPrincipal } from '../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../clouds.ts';
import { startClouds } from '../clouds.ts';
import type { Migration } from '../replicate/lab.ts';
import { beginMigration, finishSchema, run } from '../replicate/lab.ts';
import type { Running } from '../replicate/running.ts';
import { start, until } from '../replicate/running.ts';
import { randomNumbers } from '../replicate/workload.ts';
import { group } from '../sandbox/clouds/azure/lab.ts';
import { createServers, MigrationApi, superuser } from '../sandbox/clouds/azure/migration-lab.ts';

const schemas = ['ledger', 'audit'];
const tables = [
  `CREATE TABLE account (id int NOT NULL PRIMARY KEY, code varchar(20) NOT NULL UNIQUE, balance int)`,
  `CREATE TABLE entry (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, account_id int NOT NULL, amount int,
     FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE)`,
  `CREATE TABLE heap (a int, b varchar(10))`,
  `CREATE TABLE audit.trail (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, what json)`,
  `INSERT INTO account WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 500)
     SELECT i, CONCAT('c', i), 0 FROM n`,
  `INSERT INTO heap SELECT id % 10, 'same' FROM account`,
  `INSERT INTO audit.trail (what) SELECT JSON_OBJECT('id', id) FROM account`,
];

export interface DmsLab {
  readonly clouds: TestClouds;
  readonly api: MigrationApi;
  readonly source: Endpoint;
  readonly target: Endpoint;
  begin(name: string): Promise<DmsScene>;
}

export interface DmsScene extends Migration {
  readonly dms: DmsEngineJob;
  /** As another worker has it. */
  engine(): ReplicationEngine;
  remains(): EngineRemains;
  checkpoint(): Promise<Checkpoint>;
  /** Names and states of the tasks in the project. */
  tasks(): Promise<Record<string, string>>;
}

const SERVICE = 'ferry';
/** As preparation does through the control plane. */
const gtidsOn = [
  'SET GLOBAL enforce_gtid_consistency = ON',
  ...['OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'].map((mode) => `SET GLOBAL gtid_mode = ${mode}`),
];

/** Two servers and a service of the Premium tier. */
export async function openDmsLab(): Promise<DmsLab> {
  const clouds = await startClouds();
  const api = new MigrationApi(clouds);
  await Promise.all([createServers(clouds, ['old', 'new']), api.createService(SERVICE)]);
  const [source, target] = await Promise.all([superuser(clouds, 'old'), superuser(clouds, 'new')]);
  // Else no table would be without a key.
  await run(source, ['SET GLOBAL sql_generate_invisible_primary_key = OFF']);
  await run(target, ['SET GLOBAL local_infile = ON']);
  await Promise.all([source, target].map((server) => run(server, gtidsOn)));
  const client = await createAzureClients(clouds).dataMigration(sandboxPrincipal.subscription);
  const service = new DataMigrationService({ client, resourceGroup: group, service: SERVICE });
  return {
    clouds,
    api,
    source,
    target,
    begin: async (name) => {
      await service.createProject(name, 'germanywestcentral', new AbortController().signal);
      const migration = await beginMigration({ source, target }, name, schemas, tables, {
        indexes: false,
      });
      const dms = {
        ...migration.job,
        limits: { copyParallel: 2, chunkRows: 1000, applyBatchRows: 1000 },
        verification: { chunkRows: 1000, parallel: 2 },
        service,
        project: name,
      };
      return {
        ...migration,
        dms,
        engine: () => azureDmsEngine(dms),
        remains: () => azureDmsRemains(dms),
        checkpoint: async () => await withConnection(target, {}, (c) => requireCheckpoint(c, name)),
        tasks: async () => await taskStates(api, name),
      };
    },
  };
}

async function taskStates(api: MigrationApi, project: string): Promise<Record<string, string>> {
  const { body } = await api.call('GET', `${SERVICE}/projects/${project}/tasks`);
  const { value } = body as unknown as {
    value: { name: string; properties: { state: string } }[];
  };
  return Object.fromEntries(value.map(({ name, properties }) => [name, properties.state]));
}

export function startApply(engine: ReplicationEngine): Running {
  return start((options) => engine.apply(options));
}

/** The whole load, as the workflow has it. */
export async function loadAll(scene: DmsScene): Promise<CopyResult> {
  const { job, catalog } = scene;
  const signal = AbortSignal.timeout(60_000);
  const copied = await scene.engine().load({ signal, onProgress: () => {} });
  await scene.engine().converge({ signal, onProgress: () => {} });
  await finishSchema(job.target, catalog, job.migration);
  return copied;
}

/** Until everything that the source has now is seen on the target; rejects with what ends the run before. */
export async function drained({ job }: Migration, running: Running): Promise<void> {
  const to = await withConnection(job.source, {}, readExecuted);
  const applied = awaitApplied(job.target, job.migration, to, {
    signal: AbortSignal.timeout(30_000),
  });
  await Promise.race([applied, running.ended]);
}

/** As the cutover writes down that nothing replicates any more, or that it was taken back. */
export async function noteRemoved({ job }: Migration, removed: boolean): Promise<void> {
  await withConnection(job.target, {}, (c) =>
    remember(c, job.migration, { cutover: removed ? { replicationRemoved: true } : null }),
  );
}

export interface Writer {
  /** Resolves when the last transaction is committed. */
  stop(): Promise<void>;
}

/** An application that writes all the time. No row goes by a cascade. */
export function startWriter(source: Endpoint, seed: number): Writer {
  const stopped = new AbortController();
  const writing = (async () => {
    const pick = randomNumbers(seed);
    await using connection = await openConnection(source, { database: 'ledger' });
    while (!stopped.signal.aborted) {
      await connection.query('BEGIN');
      for (let n = pick(4); n >= 0; n--) await connection.query(statement(pick, seed));
      await connection.query('COMMIT');
    }
  })();
  writing.catch(() => {});
  return {
    stop: async () => {
      stopped.abort();
      await writing;
    },
  };
}

function statement(pick: (below: number) => number, seed: number): string {
  const id = 1 + pick(500);
  const choices = [
    `UPDATE account SET balance = balance + ${pick(9)} WHERE id = ${id}`,
    `UPDATE account SET code = CONCAT('d', ${seed}, '-', id) WHERE id = ${id}`,
    `INSERT INTO entry (account_id, amount) VALUES (${id}, ${pick(100)}), (${id}, 1)`,
    `UPDATE entry SET amount = amount + 1 WHERE account_id = ${id}`,
    `DELETE FROM entry WHERE account_id = ${id} LIMIT 1`,
    `INSERT INTO heap VALUES (${pick(10)}, 'new'), (${pick(10)}, 'new')`,
    `UPDATE heap SET b = 'changed' WHERE a = ${pick(10)} LIMIT 2`,
    `DELETE FROM heap WHERE a = ${pick(10)} LIMIT 1`,
    `INSERT INTO audit.trail (what) VALUES ('{"n": ${pick(100)}}')`,
    `DELETE FROM audit.trail WHERE id = ${id}`,
  ];
  return choices[pick(choices.length)] ?? 'DO 0';
}

/** Until it says so of itself; rejects with what ends it before. */
export async function says({ progress, ended }: Running, text: string): Promise<void> {
  const said = until(() => progress.some(({ engine }) => engine?.includes(text)));
  await Promise.race([said, ended]);
}
