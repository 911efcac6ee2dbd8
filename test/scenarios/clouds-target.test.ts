import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import { killAt } from './clouds-kill.ts';
import { CloudsLab } from './clouds-lab.ts';
import { revoke } from './clouds-rights.ts';
import type { CloudsRun } from './clouds-run.ts';
import { prepared } from './clouds-run.ts';
import { leaks } from './clouds-secrets.ts';
import { azureOperations, azureServer } from './clouds-state.ts';

// Each kill costs seconds on a machine that does other things as well.
vi.setConfig({ testTimeout: 120_000 });

/** An Azure server is made, prepared and removed by workers that are killed in each act, at each place. */
let lab: CloudsLab;
beforeAll(async () => {
  lab = await CloudsLab.open({ sourceIsReady: true });
});
afterAll(async () => {
  await lab.close();
});

const azure = (operation: string) => ({ service: 'azure', operation });
const create = azure('Servers_Create');
const openFirewall = azure('FirewallRules_CreateOrUpdate');
const resize = azure('Servers_Update');
const setParameters = azure('Configurations_BatchUpdate');
const remove = azure('Servers_Delete');
const SERVER = 'stock-db-new';

/** The first question is asked by whoever begins; the token is saved then. */
const polling = { at: 'polling', poll: azure('AzureAsyncOperation_Get'), looks: 1 } as const;

describe('a server is made, and kept by abort', () => {
  let run: CloudsRun;
  beforeAll(async () => {
    lab.startWorker();
    run = await lab.migrate(lab.config);
    await run.untilPhase('awaiting-preparation');
  });

  test('killed while the server is created', async () => {
    const go = async () => await run.update('approve-preparation');
    expect(await killAt(lab, run, { at: 'before', call: create }, go)).toContain('beginAct');
    expect(await killAt(lab, run, polling)).toContain('completeAct');
  });

  test('killed while firewall rules are made', async () => {
    expect(await killAt(lab, run, { at: 'before', call: openFirewall })).toContain('beginAct');
    expect(await killAt(lab, run, polling)).toContain('completeAct');
    // The second rule's.
    expect(await killAt(lab, run, { at: 'sent', call: openFirewall })).toContain('beginAct');
  });

  test('killed while parameters are set', async () => {
    expect(await killAt(lab, run, { at: 'before', call: setParameters })).toContain('beginAct');
    expect(await killAt(lab, run, polling)).toContain('completeAct');
  });

  test('abort lists what was created and keeps it', async () => {
    await run.handle.signal('abort', { by: 'tester' });
    lab.startWorker();
    const undone = await undoneBy(run);
    expect(undone).toMatch(
      /kept the Azure server stock-db-new .* abort --delete-created removes it/,
    );
    expect(undone).toContain('no longer let in: 203.0.113.7 (skyferry-stock-worker)');
    expect(await azureServer(lab, SERVER)).toMatchObject({ state: 'Ready' });
  });

  test('one resource and one operation of each', async () => {
    const configured = 'configure stock-db-new/configurations';
    const { [configured]: settings = 0, ...others } = await azureOperations(lab, SERVER);
    // All values at once, then GTIDs as far as it came before the abort.
    expect(settings).toBeLessThanOrEqual(4);
    expect(others).toEqual({
      'create-server stock-db-new': 1,
      'put-firewall-rule stock-db-new/firewallRules/skyferry-stock-worker': 1,
      'put-firewall-rule stock-db-new/firewallRules/skyferry-stock-consumer-applications': 1,
      'delete-firewall-rule stock-db-new/firewallRules/skyferry-stock-worker': 1,
    });
    expect(await lab.requests(create, 'done')).toHaveLength(1);
  });

  test('no secret is to be read anywhere', async () => {
    expect(await leaks(lab, run)).toEqual([]);
  });
});

test("another's server gets its former values back, whatever abort is told; killed when changes were sent", async () => {
  const before = await azureServer(lab, SERVER);
  if (before === undefined) throw new Error('it was kept');
  const run = await lab.migrate(
    edited(lab.config, {
      name: 'guest',
      target: {
        ...lab.config.target,
        create: undefined,
        manage: ['parameters', 'firewall', 'sku', 'databases'],
        sku: { load: 'Standard_D4ds_v4', run: 'Standard_D2ds_v4' },
        iops: undefined,
        parameters: { wait_timeout: '1234' },
      },
    }),
  );
  await run.untilPhase('awaiting-preparation');
  const go = async () => await run.update('approve-preparation');
  expect(await killAt(lab, run, { at: 'sent', call: resize }, go)).toContain('beginAct');
  expect(await killAt(lab, run, { at: 'sent', call: setParameters })).toContain('beginAct');
  lab.startWorker();
  await run.untilPhase(...prepared);
  expect(await azureServer(lab, SERVER)).toMatchObject({
    sku: { name: 'Standard_D4ds_v4' },
    overrides: { wait_timeout: '1234' },
  });
  await run.update('abort', { dropTarget: 'guest', deleteCreated: true });
  const undone = await undoneBy(run);
  expect(undone).toMatch(/parameters are as before: .*wait_timeout=/);
  expect(undone).toContain('the size is as before: Standard_D8ds_v4');
  expect(undone).toContain('Azure lets nobody turn GTIDs off again');
  expect(await azureServer(lab, SERVER)).toEqual({
    ...before,
    overrides: { ...before.overrides, enforce_gtid_consistency: 'ON', gtid_mode: 'ON' },
  });
  expect(await azureOperations(lab, SERVER)).toMatchObject({
    // There and back.
    'update-server stock-db-new': 2,
    // Once by the first migration, which was aborted then; now values, GTIDs in three steps, and back.
    'configure stock-db-new/configurations': 6,
  });
});

test('its own server is removed when told so; killed when that was sent', async () => {
  const run = await lab.migrate(lab.config);
  // What has to be resized before the window is in the plan again.
  await run.untilPhase('awaiting-preparation');
  const go = async () => await run.update('abort', { deleteCreated: true });
  expect(await killAt(lab, run, { at: 'sent', call: remove }, go)).toContain('undoClouds');
  lab.startWorker();
  expect(await undoneBy(run)).toMatch(/the Azure server stock-db-new/);
  expect(await azureServer(lab, SERVER)).toBeUndefined();
  expect(await azureOperations(lab, SERVER)).toMatchObject({ 'delete-server stock-db-new': 1 });
});

describe('a second server, removed at once', () => {
  const SECOND = 'stock-db-second';
  let run: CloudsRun;

  test('killed when its creation was sent', async () => {
    run = await lab.migrate(
      edited(lab.config, { name: 'second', target: { ...lab.config.target, server: SECOND } }),
    );
    await run.untilPhase('awaiting-preparation');
    const go = async () => await run.update('approve-preparation');
    expect(await killAt(lab, run, { at: 'sent', call: create }, go)).toContain('beginAct');
  });

  test('a right that is missing is named, and the phase goes on once it is granted', async () => {
    const [first, next] = ['firewallRules/write', 'updateConfigurations/action'].map(
      (action) => `Microsoft.DBforMySQL/flexibleServers/${action}`,
    ) as [string, string];
    const grantFirst = revoke(first);
    const grantNext = revoke(next);
    try {
      lab.startWorker();
      expect(await run.untilParked(first)).toMatchObject({
        code: 'CLOUD_DENIED',
        next: expect.stringContaining('docs/aws-to-azure.md'),
      });
      grantFirst();
      await run.update('retry-phase');
      expect(await run.untilParked(next)).toMatchObject({ code: 'CLOUD_DENIED' });
    } finally {
      grantNext();
    }
  });

  test('killed while abort removes the server', async () => {
    const go = async () => await run.update('abort', { deleteCreated: true });
    expect(await killAt(lab, run, { at: 'before', call: remove }, go)).toContain('undoClouds');
    expect(await killAt(lab, run, polling)).toContain('undoClouds');
    lab.startWorker();
    expect(await undoneBy(run)).toMatch(/the Azure server stock-db-second/);
    expect(await azureServer(lab, SECOND)).toBeUndefined();
    expect(await azureOperations(lab, SECOND)).toMatchObject({
      'create-server stock-db-second': 1,
      'delete-server stock-db-second': 1,
    });
  });
});

async function undoneBy(run: CloudsRun): Promise<string> {
  const { aborted } = (await run.handle.result()) as MigrationReport;
  return aborted?.undone.join('\n') ?? '';
}

function edited(config: MigrationConfig, changes: Record<string, unknown>): MigrationConfig {
  return migrationConfigSchema.parse({ ...config, ...changes });
}
