import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { sandboxPrincipal } from '../../src/sandbox/clouds/azure/principal.ts';
import { superuserOf } from '../../src/sandbox/clouds/superuser.ts';
import { AZURE_SERVER } from '../../src/sandbox/demo/clouds/files.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import { killAt } from './clouds-kill.ts';
import { CloudsLab } from './clouds-lab.ts';
import type { CloudsRun } from './clouds-run.ts';
import { leaks } from './clouds-secrets.ts';

// Each kill costs seconds on a machine that does other things as well.
vi.setConfig({ testTimeout: 120_000 });

/** Engine azure-dms in the whole workflow: workers are killed, tasks die, a cutover is taken back. */
let lab: CloudsLab;
beforeAll(async () => {
  lab = await CloudsLab.open({ sourceIsReady: true });
});
afterAll(async () => {
  await lab.close();
});

function byDms(config: MigrationConfig, name: string): MigrationConfig {
  const subnet = `/subscriptions/${sandboxPrincipal.subscription}/resourceGroups/stock/providers/Microsoft.Network/virtualNetworks/stock/subnets/migration`;
  const target = { ...config.target, sku: { run: 'Standard_D8ds_v4' } };
  const parsed = parseConfig({
    ...config,
    name,
    target,
    engine: 'azure-dms',
    azureDms: { subnet },
  });
  if (parsed.ok) return parsed.config;
  throw new Error(JSON.stringify(parsed.issues));
}

const azure = (operation: string) => ({ service: 'azure', operation });
const createService = azure('Services_CreateOrUpdate');
const createTask = azure('Tasks_CreateOrUpdate');
const removeService = azure('Services_Delete');
const dies = (operation: string) =>
  ({ match: { operation }, kind: 'fail-operation', code: 'NoMemory' }) as const;

async function begunTasks(): Promise<string[]> {
  const begun = await lab.requests(createTask, 'done');
  return [...new Set(begun.map(({ path }) => path.split('/').at(-1) ?? ''))].toSorted();
}

async function startRun(name: string): Promise<CloudsRun> {
  lab.startWorker();
  const run = await lab.migrate(byDms(lab.config, name));
  await run.untilPhase('awaiting-preparation');
  return run;
}

async function customersOnTarget(name: string): Promise<number> {
  const target = await superuserOf(
    { ...lab.clouds, port: lab.scene.port },
    `azure-${AZURE_SERVER}`,
  );
  return await withConnection(target, {}, async (connection) => {
    const rows = await connection.query('SELECT id FROM shop.customer WHERE name = ?', [name]);
    return rows.length;
  });
}

/** What it was told while it was parked. */
async function untilTaken(run: CloudsRun): Promise<void> {
  while ((await run.status()).phase === 'parked') await sleep(50);
}

describe('workers are killed', () => {
  let run: CloudsRun;
  beforeAll(async () => {
    run = await startRun('killed');
  });

  test('while the service is made', async () => {
    const go = async () => await run.update('approve-preparation');
    expect(await killAt(lab, run, { at: 'before', call: createService }, go)).toContain('beginAct');
    expect(await killAt(lab, run, { at: 'sent', call: createService })).toContain('beginAct');
    expect(await lab.requests(createService, 'done')).toHaveLength(1);
  });

  test('while it connects and loads: the tasks that run are taken up', async () => {
    expect(await killAt(lab, run, { at: 'before', call: createTask })).toContain('copyTables');
    expect(await killAt(lab, run, { at: 'sent', call: createTask })).toContain('copyTables');
    const poll = { at: 'polling', poll: azure('Tasks_Get'), looks: 1 } as const;
    expect(await killAt(lab, run, poll)).toContain('copyTables');
    lab.startWorker();
    await run.untilPhase('awaiting-approval');
    expect(await begunTasks()).toEqual(['source-1', 'sync-1', 'target-1']);
  });

  test('after the service was told to complete a database: taken back, and our applier goes on', async () => {
    const go = async () => await run.update('approve-cutover');
    const call = azure('Tasks_Command');
    expect(await killAt(lab, run, { at: 'sent', call }, go)).toContain('cutOver');
    // The source is fenced until a worker settles the cutover.
    lab.startWorker();
    await run.untilParked('went silent');
    await run.update('retry-phase');
    await untilTaken(run);
    await run.untilPhase('awaiting-approval');
    await withConnection(lab.scene.superuser, {}, (source) =>
      source.execute("INSERT INTO shop.customer (name) VALUES ('after')"),
    );
    await vi.waitFor(async () => expect(await customersOnTarget('after')).toBe(1), 20_000);
  });

  test('and abort removes the service, whatever becomes of the server', async () => {
    await run.update('abort', { reason: 'not today', deleteCreated: true });
    const report = (await run.handle.result()) as MigrationReport;
    expect(report.status.phase).toBe('aborted');
    expect(report.aborted?.undone.join()).toMatch(/removed .*service/i);
    expect(await lab.requests(removeService, 'done')).not.toEqual([]);
  });
});

describe('tasks die', () => {
  let run: CloudsRun;
  beforeAll(async () => {
    run = await startRun('died');
    await lab.faults(dies('DataMigration_FullLoad'));
    await run.update('approve-preparation');
  });

  test('in the load: parked, and another one begins on an emptied target', async () => {
    expect(await run.untilParked('NoMemory')).toMatchObject({ code: 'REPLICATION_LOST' });
    await run.update('retry-phase');
    await untilTaken(run);
    await run.untilPhase('awaiting-approval');
    expect(await begunTasks()).toContain('sync-2');
  });

  test('while it waits: switched to the built-in engine, which loads anew and completes', async () => {
    await lab.faults(dies('DataMigration_Replicate'));
    await run.untilParked('NoMemory');
    expect((await run.status()).nextSteps.join()).toContain('switch-engine');
    await run.update('switch-engine', { engine: 'built-in' });
    await untilTaken(run);
    await run.untilPhase('awaiting-approval');
    await run.update('approve-cutover');
    const report = (await run.handle.result()) as MigrationReport;
    expect(report.status).toMatchObject({ phase: 'completed', engine: 'built-in' });
    expect(report.verification).toMatchObject({ equal: true, differing: 0, rows: 7 });
    expect(report.cutover).not.toBeNull();
    expect(await begunTasks()).not.toContain('sync-3');
  });

  test('the service is removed at the end, and no secret is to be read anywhere', async () => {
    expect(await lab.requests(removeService, 'done')).toHaveLength(2);
    expect(await leaks(lab, run)).toEqual([]);
  });
});
