import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { ReportEvidence } from '../../observe/report/evidence.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import type { MigrationStatus } from '../../workflows/messages.ts';
import { TASK_QUEUE, workflowId } from '../../workflows/messages.ts';
import type { MigrationReport } from '../../workflows/results.ts';
import { createSampleDatabase } from '../sample/create-sample-database.ts';
import type { Sandbox } from '../sandbox.ts';
import { verifyLedger } from '../writer/verify-ledger.ts';
import type { DemoFiles } from './demo-files.ts';
import {
  DEMO_MIGRATION,
  prepareDemoFiles,
  writeApplicationFiles,
  writeDemoConfig,
} from './demo-files.ts';
import { runs, until } from './follow.ts';
import type { Kill } from './kill.ts';
import { assertTakenUp, killDuring, untilCopied } from './kill.ts';
import { startWorker, startWriter } from './programs.ts';

export interface DemoOptions {
  readonly scale: number;
  /** Transactions a second that the application tries. */
  readonly rate: number;
  readonly seed: number;
  /** 0 to 1: how far into each of its two chances the worker is killed. */
  readonly killAt: () => number;
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly say: (line: string) => void;
}

export interface DemoResult {
  readonly evidence: ReportEvidence;
  readonly files: DemoFiles;
  readonly kills: readonly Kill[];
  /** No row differed and the ledger is intact. */
  readonly ok: boolean;
}

const PHASE_TIMEOUT_MS = 180_000;
const WRITE_BEFORE_MS = 1500;
const WRITE_AFTER_MS = 4000;
/** The later a kill, the likelier that what it is aimed at is over: by rows of the copy, and of the catch-up by time. */
const LATEST_KILL = { ofCopy: 0.8, ms: 1000 };

/** A whole migration of the sample database under live writes, with two kills of the worker. */
export async function runDemo(sandbox: Sandbox, options: DemoOptions): Promise<DemoResult> {
  const { say, signal } = options;
  const files = await prepareDemoFiles(sandbox);
  const seeded = await seed(sandbox, options);
  await writeApplicationFiles(sandbox, files, options);
  const config = await writeDemoConfig(sandbox, files);

  say(`the application writes, ${options.rate} transactions a second at most`);
  const place = { sandbox, files };
  const startTheWorker = () => startWorker(place, '--switch-dir', files.switchDirectory);
  const writer = startWriter(place, files.writerOptions);
  let worker = startTheWorker();
  const kills: Kill[] = [];
  const killWorker = async (handle: WorkflowHandle, activity: string, when: string) => {
    const kill = await killDuring(handle, activity, () => worker.kill());
    kills.push(kill);
    const where = kill.hit ? when : `too late: not ${when}, but in the phase ${kill.phase ?? '?'}`;
    say(`killed the worker (SIGKILL) ${where}; starting another`);
    worker = startTheWorker();
  };
  const connection = await Connection.connect({ address: sandbox.temporal.address });
  try {
    await sleep(WRITE_BEFORE_MS, undefined, { signal });
    const handle = await startMigration(new Client({ connection }), config);
    say(`started ${handle.workflowId}`);
    const wait = (what: string, seen: Parameters<typeof until>[2]) =>
      until(handle, what, seen, { signal, timeoutMs: PHASE_TIMEOUT_MS });

    await wait('copying', runs('copyTables'));
    const rows = options.killAt() * LATEST_KILL.ofCopy * seeded;
    await untilCopied(handle, sandbox.target.superuser, rows, signal);
    await killWorker(handle, 'copyTables', 'during the full load');
    await wait('catching up', (sight) => runs('applyChanges')(sight) && runs('awaitLag')(sight));
    say('full load done: rows copied, indexes and foreign keys built; catching up');
    await sleep(options.killAt() * LATEST_KILL.ms, undefined, { signal });
    await killWorker(handle, 'awaitLag', 'while catching up');
    await wait('waiting for approval', ({ phase }) => phase === 'awaiting-approval');
    await approve(handle, say);
    await wait('completed', ({ running, phase }) => !running && phase === 'completed');
    say('switched; the application goes on against the target');
    await sleep(WRITE_AFTER_MS, undefined, { signal });
    writer.assertRunning();
    await writer.stop();
    await assertTakenUp(handle, kills);
    const report = await handle.query<MigrationReport>('report');
    return { ...(await judge(sandbox, files, report)), kills };
  } finally {
    await Promise.all([writer.stop(), worker.stop(), connection.close()]);
  }
}

async function seed(
  sandbox: Sandbox,
  { scale, seed: number, signal, say }: DemoOptions,
): Promise<number> {
  const { rows, tables, seconds } = await createSampleDatabase(sandbox.source.superuser, {
    scale,
    seed: number,
    signal,
    onProgress: () => {},
  });
  say(`seeded ${rows} rows in ${tables} tables on the source in ${seconds.toFixed(1)} s`);
  return rows;
}

async function startMigration(client: Client, config: MigrationConfig): Promise<WorkflowHandle> {
  return client.workflow.start('migrateDatabase', {
    workflowId: workflowId(DEMO_MIGRATION),
    taskQueue: TASK_QUEUE,
    args: [config],
    workflowIdConflictPolicy: 'FAIL',
  });
}

async function approve(handle: WorkflowHandle, say: (line: string) => void): Promise<void> {
  const { planHash, lagMs } = await handle.query<MigrationStatus>('status');
  say(
    `every row compared under writes, lag ${lagMs ?? '?'} ms; approving plan ${planHash?.slice(0, 12) ?? '?'}`,
  );
  await handle.executeUpdate('approve-cutover', {
    args: [
      {
        by: 'demo',
        ...(planHash !== undefined && { planHash }),
        note: 'the demo approves by itself',
      },
    ],
  });
}

async function judge(
  sandbox: Sandbox,
  files: DemoFiles,
  report: MigrationReport,
): Promise<Omit<DemoResult, 'kills'>> {
  const verdict = await verifyLedger(sandbox.target.superuser, files.ledger);
  const application = { ...verdict, source: "the writer's ledger" };
  const ok =
    verdict.ok &&
    verdict.acknowledged > 0 &&
    report.verification?.equal === true &&
    report.cutover !== null;
  return {
    files,
    ok,
    evidence: { report, application, generatedAt: new Date().toISOString() },
  };
}
