import { Command } from 'commander';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { registerStatus } from '../../src/cli/commands/status.ts';
import { TASK_QUEUE, workflowId } from '../../src/workflows/messages.ts';
import { startTemporal } from '../servers.ts';

let temporal: Awaited<ReturnType<typeof startTemporal>>;

beforeAll(async () => {
  temporal = await startTemporal();
  vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
}, 120_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await temporal.stop();
});

async function skyferry(...words: string[]): Promise<void> {
  const program = new Command('skyferry').option('--json');
  registerStatus(program);
  await program.parseAsync(['node', 'skyferry', ...words]);
}

test('without a worker, status says so and a watch goes on until the migration has ended', async () => {
  const connection = await Connection.connect({ address: temporal.address });
  const handle = await new Client({ connection }).workflow.start('migrateDatabase', {
    workflowId: workflowId('shop'),
    taskQueue: TASK_QUEUE,
    args: [],
  });
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await expect(skyferry('status', 'shop')).rejects.toMatchObject({ code: 'NO_WORKER' });
    const watching = skyferry('status', 'shop', '--watch').catch((error: unknown) => error);
    const text = () => printed.mock.calls.map(([chunk]) => String(chunk)).join('');
    await vi.waitFor(() => expect(text()).toContain('phase=running no answer: No worker polls'), {
      timeout: 20_000,
    });
    await handle.terminate();
    expect(await watching).toMatchObject({ code: 'NO_WORKER' });
  } finally {
    printed.mockRestore();
    await connection.close();
  }
}, 90_000);
