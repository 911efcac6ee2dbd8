import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Engine } from '../../../config/schema.ts';
import { createAwsClients } from '../../../clouds/aws/clients.ts';
import { withConnection } from '../../../mysql/connection.ts';
import type { Endpoint } from '../../../mysql/endpoint.ts';
import type { ReportEvidence } from '../../../observe/report/evidence.ts';
import { TASK_QUEUE, workflowId } from '../../../workflows/messages.ts';
import type { MigrationReport } from '../../../workflows/results.ts';
import type { RunningClouds } from '../../clouds/launch.ts';
import { createSampleDatabase } from '../../sample/create-sample-database.ts';
import { sampleSchemas } from '../../sample/schemas.ts';
import { superuserOf } from '../../clouds/superuser.ts';
import type { Sandbox } from '../../sandbox.ts';
import { openSecretsFolder } from '../../secrets-folder.ts';
import { verifyLedger } from '../../writer/verify-ledger.ts';
import { startWorker, startWriter } from '../programs.ts';
import { Driver } from './drive.ts';
import type { CloudsDemoFiles } from './files.ts';
import {
  AZURE_SERVER,
  CLOUDS_MIGRATION,
  prepareCloudsDemoFiles,
  scenePasswords,
  writeApplicationFiles,
  writeCloudsConfig,
} from './files.ts';
import type { CloudsKill } from './kill-worker.ts';
import { howTakenUp } from './kill-worker.ts';
import type { PlannedKill } from './kills.ts';
import { SECRET, setScene } from './scene.ts';

export interface CloudsDemoOptions {
  readonly engine: Engine;
  /** When the worker is killed. */
  readonly kills: readonly PlannedKill[];
  /** Servers that suit every engine, so that what each does can be compared. */
  readonly alike?: boolean;
  /** How long the approval of the cutover is waited for. */
  readonly approveAfterMs?: number;
  readonly scale: number;
  /** Transactions a second that the applications try. */
  readonly rate: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly say: (line: string) => void;
}

export interface CloudsDemoResult {
  readonly evidence: ReportEvidence;
  readonly files: CloudsDemoFiles;
  readonly kills: readonly CloudsKill[];
  /** Of all runs of the workflow. */
  readonly historyEvents: number;
  /** No row differed and both ledgers are intact. */
  readonly ok: boolean;
}

const WRITE_BEFORE_MS = 1500;
const WRITE_AFTER_MS = 4000;

/**
 * RDS as it comes to a flexible server that is made: preparation, copy, catch-up, resizing, account
 * locks, a DNS record and a secret, under live writes, with a kill of the worker in every phase that works.
 */
export async function runCloudsDemo(
  sandbox: Sandbox,
  clouds: RunningClouds,
  options: CloudsDemoOptions,
): Promise<CloudsDemoResult> {
  const { say, signal } = options;
  const files = await prepareCloudsDemoFiles(sandbox.stateDir);
  const secrets = await openSecretsFolder(sandbox.secretsDir);
  const ca = await readFile(clouds.caFile, 'utf8');
  const passwords = await scenePasswords(secrets);
  const { engine, alike = false } = options;
  const scene = await setScene({
    clouds,
    ca,
    passwords,
    schemas: sampleSchemas,
    lowerCase: alike || engine !== 'built-in',
    fill: async (superuser) => await fillWithSample(superuser, options),
    ...options,
  });
  await writeApplicationFiles(files, clouds, scene, secrets, options);
  const config = await writeCloudsConfig(files, scene, engine, { alike });

  const place = { sandbox, files, env: clouds.env };
  const writers = [files.stock, files.reports].map(({ name, options: file }) =>
    startWriter(place, file, name),
  );
  say(
    `two applications write, ${options.rate} transactions a second at most: one finds its database by DNS, one by a secret`,
  );
  const sidecar = followSecret(clouds, ca, scene.region, files.reports.connectionFile, signal);
  const connection = await Connection.connect({ address: sandbox.temporal.address });
  let driver: Driver | undefined;
  try {
    await sleep(WRITE_BEFORE_MS, undefined, { signal });
    const client = new Client({ connection });
    const handle = await client.workflow.start('migrateDatabase', {
      workflowId: workflowId(CLOUDS_MIGRATION),
      taskQueue: TASK_QUEUE,
      args: [config],
      workflowIdConflictPolicy: 'FAIL',
    });
    say(`started ${handle.workflowId}, engine ${engine}`);
    driver = new Driver(handle, {
      ...options,
      startWorker: () => startWorker(place),
      isFenced: async () => await isLocked(scene.superuser),
    });
    const done = await driver.drive();
    say('DNS record and secret switched; the applications go on against Azure');
    await sleep(WRITE_AFTER_MS, undefined, { signal });
    for (const writer of writers) writer.assertRunning();
    await Promise.all(writers.map((writer) => writer.stop()));
    if (done.length > 0) sayKills(done, await howTakenUp(client, handle, done), say);
    const report = await handle.query<MigrationReport>('report');
    const historyEvents = await countEvents(client, handle.workflowId);
    return {
      ...(await judge(clouds, scene.port, files, report, say)),
      kills: done,
      historyEvents,
    };
  } finally {
    sidecar.stop();
    await Promise.all([...writers.map((writer) => writer.stop()), driver?.stopWorker()]);
    await connection.close();
  }
}

function sayKills(
  kills: readonly CloudsKill[],
  how: readonly string[],
  say: (line: string) => void,
): void {
  say('kills of the worker, and what they hit:');
  for (const [index, { phase, activity, during }] of kills.entries()) {
    say(`  ${phase.padEnd(17)} ${activity.padEnd(17)} ${how[index] ?? ''} (while ${during})`);
  }
}

/** A long history goes on in another run. */
async function countEvents(client: Client, id: string): Promise<number> {
  let count = 0;
  let runId: string | undefined;
  do {
    const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
    count += events?.length ?? 0;
    const began = events?.[0]?.workflowExecutionStartedEventAttributes;
    runId = began?.continuedExecutionRunId ?? '';
  } while (runId !== '');
  return count;
}

async function isLocked(source: Endpoint): Promise<boolean> {
  return await withConnection(source, {}, async (connection) => {
    const locked = "SELECT 1 FROM mysql.user WHERE User = 'app' AND account_locked = 'Y'";
    return (await connection.query(locked)).length > 0;
  });
}

async function fillWithSample(
  superuser: Endpoint,
  { scale, seed, signal }: CloudsDemoOptions,
): Promise<string> {
  const { rows, tables, seconds } = await createSampleDatabase(superuser, {
    scale,
    seed,
    signal,
    onProgress: () => {},
  });
  return `seeded ${rows} rows in ${tables} tables in ${seconds.toFixed(1)} s`;
}

/** As a sidecar does for an application: what the secret says is written to its connection file. */
function followSecret(
  { env }: RunningClouds,
  ca: string,
  region: string,
  connectionFile: string,
  signal: AbortSignal,
): { stop: () => void } {
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const follow = async () => {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const secrets = await createAwsClients({ env, ca }).secrets(region);
    let known = '';
    for (;;) {
      const { SecretString = '' } = await secrets.send(
        new GetSecretValueCommand({ SecretId: SECRET }),
        { abortSignal: either },
      );
      const { username, host, port } = JSON.parse(SecretString) as Record<string, string>;
      const url = `mysql://${username}@${host}:${port}\n`;
      if (url !== known) await writeFile(connectionFile, url);
      known = url;
      await sleep(200, undefined, { signal: either });
    }
  };
  follow().catch((error: unknown) => {
    if (!either.aborted) throw error;
  });
  return { stop: () => stopped.abort() };
}

async function judge(
  clouds: RunningClouds,
  port: number,
  files: CloudsDemoFiles,
  report: MigrationReport,
  say: (line: string) => void,
): Promise<Omit<CloudsDemoResult, 'kills' | 'historyEvents'>> {
  const target = await superuserOf({ ...clouds, port }, `azure-${AZURE_SERVER}`);
  const reports = await verifyLedger(target, files.reports.ledger);
  say(
    `the ledger of ${files.reports.name}: ${reports.acknowledged} transactions, ${reports.problems.length} problems`,
  );
  const stock = await verifyLedger(target, files.stock.ledger);
  const application = { ...stock, source: `the ledger of ${files.stock.name}` };
  const ok =
    [stock, reports].every(({ ok: intact, acknowledged }) => intact && acknowledged > 0) &&
    report.verification?.equal === true &&
    report.cutover !== null;
  return {
    files,
    ok,
    evidence: { report, application, generatedAt: new Date().toISOString() },
  };
}
