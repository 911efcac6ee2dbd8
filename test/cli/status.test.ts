import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { MockInstance } from 'vitest';
import { stringify } from 'yaml';
import { registerPause } from '../../src/cli/commands/pause.ts';
import { registerReport } from '../../src/cli/commands/report.ts';
import { registerStart } from '../../src/cli/commands/start.ts';
import { registerStatus } from '../../src/cli/commands/status.ts';
import { TASK_QUEUE, workflowId } from '../../src/workflows/messages.ts';
import { config } from '../workflows/config.ts';
import { Lab } from '../workflows/lab.ts';

let lab: Lab;
let folder: string;
let printed: MockInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  lab = await Lab.open();
  vi.stubEnv('TEMPORAL_ADDRESS', lab.address);
}, 120_000);
beforeEach(() => {
  printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(async () => {
  await lab.clear();
  printed.mockRestore();
  process.exitCode = undefined;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function skyferry(...words: string[]): Promise<void> {
  const program = new Command('skyferry').option('--json');
  for (const register of [registerStart, registerStatus, registerPause, registerReport]) {
    register(program);
  }
  await program.parseAsync(['node', 'skyferry', ...words]);
}

const text = () => printed.mock.calls.map(([chunk]) => String(chunk)).join('');

async function startMigration(name: string, cutover: Record<string, unknown> = {}) {
  const args = [config(name, cutover)];
  const handle = await lab.client.workflow.start('migrateDatabase', {
    workflowId: workflowId(name),
    taskQueue: TASK_QUEUE,
    args,
  });
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, stringify(args[0]));
  return { handle, file };
}

/** The bundle of a workflow that would have begun with something else. */
async function otherVersion(): Promise<string> {
  const workflowsPath = fileURLToPath(new URL('other-version.ts', import.meta.url));
  return (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') })).code;
}

test('without a worker: status says so, nothing is sent, and a watch goes on until the end', async () => {
  const { handle } = await startMigration('shop');
  await expect(skyferry('status', 'shop')).rejects.toMatchObject({ code: 'NO_WORKER' });
  await expect(skyferry('pause', 'shop')).rejects.toMatchObject({
    code: 'NO_WORKER',
    message: expect.stringContaining('it was not sent'),
  });
  const watching = skyferry('status', 'shop', '--watch').catch((error: unknown) => error);
  await vi.waitFor(() => expect(text()).toContain('phase=running no answer: No worker polls'), {
    timeout: 20_000,
  });
  await handle.terminate();
  expect(await watching).toMatchObject({
    code: 'NO_WORKER',
    message: expect.stringContaining('TERMINATED'),
  });
  await expect(skyferry('pause', 'shop')).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
}, 90_000);

test('one that Temporal does not know is told apart from one that fails', async () => {
  for (const command of ['status', 'report', 'pause']) {
    await expect(skyferry(command, 'nobody')).rejects.toMatchObject({ code: 'MIGRATION_CONFLICT' });
  }
});

test('a workflow that somebody terminated goes on nowhere, whatever its last phase', async () => {
  await lab.startWorker({}, TASK_QUEUE);
  const { handle } = await startMigration('ended');
  await vi.waitFor(
    async () => expect(await handle.query('status')).toMatchObject({ phase: 'awaiting-approval' }),
    { timeout: 60_000 },
  );
  await handle.terminate();
  await skyferry('status', 'ended', '--watch');
  expect(text()).toContain('phase=awaiting-approval stopped=TERMINATED');
  expect(process.exitCode).toBe(1);
  await skyferry('status', 'ended');
  expect(text()).toContain('skyferry start takes it up again');
  expect(text()).not.toContain('approve-cutover');
}, 90_000);

test('a worker of another version says that it cannot carry the migration on, and how it goes on', async () => {
  await lab.startWorker({}, TASK_QUEUE);
  const { handle } = await startMigration('upgraded');
  await vi.waitFor(
    async () => expect(await handle.query('status')).toMatchObject({ phase: 'awaiting-approval' }),
    { timeout: 60_000 },
  );
  await lab.abandonWorkers(TASK_QUEUE);
  await lab.startWorker({}, TASK_QUEUE, await otherVersion());
  await expect(skyferry('status', 'upgraded')).rejects.toMatchObject({
    code: 'MIGRATION_CONFLICT',
    detail: { next: expect.stringContaining('temporal workflow terminate -w migration/upgraded') },
  });
}, 90_000);

test('a completed one answers without a worker, and is not started again', async () => {
  await lab.startWorker({}, TASK_QUEUE);
  const { handle, file } = await startMigration('done', { approval: { required: false } });
  await handle.result();
  await lab.abandonWorkers(TASK_QUEUE);
  await skyferry('status', 'done');
  expect(text()).toContain('switched');
  await skyferry('report', 'done');
  expect(text()).toContain('Report of migration/done: completed');
  await expect(skyferry('start', '-c', file)).rejects.toMatchObject({
    code: 'MIGRATION_CONFLICT',
    message: 'migration/done is completed',
  });
}, 90_000);
