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
  /** No row differed and the ledger is intact. */
  readonly ok: boolean;
}

const PHASE_TIMEOUT_MS = 180_000;
const WRITE_BEFORE_MS = 1500;
const WRITE_AFTER_MS = 4000;
const LONGEST_KILL_DELAY_MS = 1000;

/** A whole migration of the sample database under live writes, with two kills of the worker. */
export async function runDemo(sandbox: Sandbox, options: DemoOptions): Promise<DemoResult> {
  const { say, signal } = options;
  const files = await prepareDemoFiles(sandbox);
  await seed(sandbox, options);
  await writeApplicationFiles(sandbox, files, options);
  const config = await writeDemoConfig(sandbox, files);

  say(`the application writes, ${options.rate} transactions a second at most`);
  const writer = startWriter(sandbox, files);
  let worker = startWorker(sandbox, files);
  const killWorker = async (when: string) => {
    await sleep(options.killAt() * LONGEST_KILL_DELAY_MS, undefined, { signal });
    worker.kill();
    say(`killed the worker (SIGKILL) ${when}; starting another`);
    worker = startWorker(sandbox, files);
  };
  const connection = await Connection.connect({ address: sandbox.temporal.address });
  try {
    await sleep(WRITE_BEFORE_MS, undefined, { signal });
    const handle = await startMigration(new Client({ connection }), config);
    say(`started ${handle.workflowId}`);
    const wait = (what: string, seen: Parameters<typeof until>[2]) =>
      until(handle, what, seen, { signal, timeoutMs: PHASE_TIMEOUT_MS });

    await wait('copying', runs('copyTables'));
    await killWorker('during the full load');
    await wait('catching up', ({ phase }) => phase === 'catching-up');
    say('full load done: rows copied, indexes and foreign keys built; catching up');
    await killWorker('while catching up');
    await wait('waiting for approval', ({ phase }) => phase === 'awaiting-approval');
    await approve(handle, say);
    await wait('completed', ({ running, phase }) => !running && phase === 'completed');
    say('switched; the application goes on against the target');
    await sleep(WRITE_AFTER_MS, undefined, { signal });
    writer.assertRunning();
    await writer.stop();
    const report = await handle.query<MigrationReport>('report');
    return await judge(sandbox, files, report);
  } finally {
    await Promise.all([writer.stop(), worker.stop(), connection.close()]);
  }
}

async function seed(
  sandbox: Sandbox,
  { scale, seed: number, signal, say }: DemoOptions,
): Promise<void> {
  const { rows, tables, seconds } = await createSampleDatabase(sandbox.source.superuser, {
    scale,
    seed: number,
    signal,
    onProgress: () => {},
  });
  say(`seeded ${rows} rows in ${tables} tables on the source in ${seconds.toFixed(1)} s`);
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
): Promise<DemoResult> {
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
