import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withConnection } from '../../src/mysql/connection.ts';
import { superuserOf } from '../../src/sandbox/clouds/superuser.ts';
import { AZURE_SERVER, TARGET_HOST } from '../../src/sandbox/demo/clouds/files.ts';
import { SECRET } from '../../src/sandbox/demo/clouds/scene.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import { killAt } from './clouds-kill.ts';
import { CloudsLab } from './clouds-lab.ts';
import type { CloudsRun } from './clouds-run.ts';
import { leaks } from './clouds-secrets.ts';
import { azureOperations, azureServer, stored } from './clouds-state.ts';

// Each kill costs seconds on a machine that does other things as well.
vi.setConfig({ testTimeout: 120_000 });

/** From the resizing on: workers are killed in each change of a cloud, and the migration completes. */
let lab: CloudsLab;
let run: CloudsRun;
beforeAll(async () => {
  lab = await CloudsLab.open({ sourceIsReady: true });
  lab.startWorker();
  run = await lab.migrate(lab.config);
  await run.untilPhase('awaiting-preparation');
});
afterAll(async () => {
  await lab.close();
});

const azure = (operation: string) => ({ service: 'azure', operation });
const update = azure('Servers_Update');
const changeRecord = { service: 'route53', operation: 'ChangeResourceRecordSets' };
const putSecret = { service: 'secretsmanager', operation: 'PutSecretValue' };
const moveStage = { service: 'secretsmanager', operation: 'UpdateSecretVersionStage' };
/** The first question is asked by whoever begins; the token is saved then. */
const polling = { at: 'polling', poll: azure('AzureAsyncOperation_Get'), looks: 1 } as const;

test('killed while the server is resized', async () => {
  const go = async () => await run.update('approve-preparation');
  expect(await killAt(lab, run, { at: 'before', call: update }, go)).toContain('beginAct');
  expect(await killAt(lab, run, polling)).toContain('completeAct');
});

test('killed while high availability is turned on', async () => {
  expect(await killAt(lab, run, { at: 'before', call: update })).toContain('beginAct');
  expect(await killAt(lab, run, polling)).toContain('completeAct');
});

test('killed while a TTL is lowered', async () => {
  expect(await killAt(lab, run, { at: 'before', call: changeRecord })).toContain('lowerTtls');
  const poll = { service: 'route53', operation: 'GetChange' };
  expect(await killAt(lab, run, { at: 'polling', poll, looks: 0 })).toContain('lowerTtls');
});

test('killed while a DNS record is switched', async () => {
  lab.startWorker();
  await run.untilPhase('awaiting-approval');
  const go = async () => await run.update('approve-cutover');
  expect(await killAt(lab, run, { at: 'before', call: changeRecord }, go)).toContain('cutOver');
  expect(await killAt(lab, run, { at: 'sent', call: changeRecord })).toContain('cutOver');
});

test('killed while a secret is switched', async () => {
  expect(await killAt(lab, run, { at: 'before', call: putSecret })).toContain('cutOver');
  expect(await killAt(lab, run, { at: 'sent', call: putSecret })).toContain('cutOver');
  expect(await killAt(lab, run, { at: 'before', call: moveStage })).toContain('cutOver');
  expect(await killAt(lab, run, { at: 'sent', call: moveStage })).toContain('cutOver');
});

test('killed while what was borrowed is given back', async () => {
  expect(await killAt(lab, run, { at: 'sent', call: changeRecord })).toContain('restoreTtls');
  const call = azure('Configurations_BatchUpdate');
  expect(await killAt(lab, run, { at: 'sent', call })).toContain('beginAct');
  const close = azure('FirewallRules_Delete');
  expect(await killAt(lab, run, { at: 'before', call: close })).toContain('beginAct');
  expect(await killAt(lab, run, polling)).toContain('completeAct');
});

test('it completes: each was done once, and everything is on the target', async () => {
  lab.startWorker();
  const report = (await run.handle.result()) as MigrationReport;
  expect(report.status.phase).toBe('completed');
  expect(report.verification?.equal).toBe(true);
  expect(await azureOperations(lab, AZURE_SERVER)).toMatchObject({
    'create-server stock-db-new': 1,
    // Size, high availability, and the tag that hands it over.
    'update-server stock-db-new': 3,
    // For the load, GTIDs in three steps, and back.
    'configure stock-db-new/configurations': 5,
    'delete-firewall-rule stock-db-new/firewallRules/skyferry-stock-worker': 1,
  });
  // Made, its TTL lowered, switched, its TTL put back.
  expect(await lab.requests(changeRecord, 'done')).toHaveLength(4);
  expect(await lab.requests(moveStage, 'done')).toHaveLength(1);
  expect(await secretVersions()).toEqual([
    { stages: ['AWSPREVIOUS'], host: lab.scene.host },
    { stages: ['SKYFERRY_PENDING', 'AWSCURRENT'], host: TARGET_HOST },
  ]);
  const target = await superuserOf(
    { ...lab.clouds, port: lab.scene.port },
    `azure-${AZURE_SERVER}`,
  );
  const [row] = await withConnection(
    target,
    {},
    async (connection) =>
      await connection.query('SELECT COUNT(*) AS n FROM shop.orders JOIN shop.customer USING (id)'),
  );
  expect(row).toEqual({ n: '3' });
});

test('started once more it changes nothing, and its abort does not remove what applications use', async () => {
  const before = await azureServer(lab, AZURE_SERVER);
  const again = await lab.migrate(lab.config);
  const failure = await again.untilParked('azure-server-name');
  expect(failure?.message).toContain('name-taken');
  await again.update('abort', { deleteCreated: true });
  const { aborted } = (await again.handle.result()) as MigrationReport;
  expect(aborted?.undone).toEqual([]);
  expect(await azureServer(lab, AZURE_SERVER)).toEqual(before);
});

test('no secret is to be read anywhere', async () => {
  expect(await leaks(lab, run)).toEqual([]);
});

async function secretVersions(): Promise<{ stages: string[]; host: string }[]> {
  type Kept = Record<string, { versions: { stages: string[]; text: string }[] }>;
  const { secrets = {} } = await stored<Kept>(lab, 'aws-secrets');
  return (secrets[SECRET]?.versions ?? []).map(({ stages, text }) => ({
    stages,
    host: (JSON.parse(text) as { host: string }).host,
  }));
}
