import type { ConfigurationForBatchUpdate } from '@azure/arm-mysql-flexible';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isFailure } from '../../../src/failures.ts';
import type { Formers } from '../../../src/prepare/act.ts';
import { azureTarget } from '../../../src/prepare/target/target.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { azureConfig } from './config.ts';
import { openScene, PASSWORD } from './scene.ts';

const HOST = 'shop-db.mysql.database.azure.com';
const existing = { create: undefined, firewall: { worker: '203.0.113.7' } };
const unmanaged = azureConfig(existing);
const managed = azureConfig({
  ...existing,
  manage: ['parameters', 'firewall', 'sku', 'databases'],
});

let clouds: TestClouds;
let scene: ReturnType<typeof openScene>;

const target = azureTarget(unmanaged);
const client = async () => await scene.clients.mysql(target.subscription);

async function restartBySomebody(): Promise<void> {
  await (await client()).servers.beginRestart(target.resourceGroup, target.server, {});
}

async function setBySomebody(parameter: ConfigurationForBatchUpdate): Promise<void> {
  const { configurations } = await client();
  const { resourceGroup, server } = target;
  const update = { value: [parameter] };
  await configurations.beginBatchUpdateAndWait(resourceGroup, server, update, { updateIntervalInMs: 200 }); // prettier-ignore
}

beforeAll(async () => {
  clouds = await startClouds();
  scene = openScene(clouds);
  await (
    await client()
  ).servers.beginCreateAndWait(
    target.resourceGroup,
    target.server,
    {
      location: 'eastus',
      sku: { name: 'Standard_D2ds_v4', tier: 'GeneralPurpose' },
      version: '8.0.21',
      administratorLogin: target.user,
      administratorLoginPassword: PASSWORD,
      storage: { storageSizeGB: 64, iops: 900, autoGrow: 'Disabled' },
      tags: { team: 'shop' },
    },
    { updateIntervalInMs: 200 },
  );
}, 90_000);
afterAll(async () => await clouds.stop());

test('a server that was there is not taken for one to be made', async () => {
  const { findings } = await scene.survey(azureConfig());
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'azure-server-name', severity: 'blocker' }),
  );
  const failure: unknown = await scene.perform(azureConfig(), 'azure/server').catch((error: unknown) => error); // prettier-ignore
  expect(isFailure(failure, 'CLOUD_UNAVAILABLE')).toBe(true);
});

test('without `manage` each change is a blocker, and the act itself refuses as well', async () => {
  const { findings } = await scene.survey(unmanaged);
  expect(findings.map(({ code, severity, object }) => [code, severity, object])).toEqual([
    ['azure-manage', 'blocker', 'target.manage: firewall'],
    ['azure-manage', 'blocker', 'target.manage: sku'],
    ['azure-manage', 'blocker', 'target.manage: parameters'],
    ['azure-manage', 'blocker', 'target.manage: sku'],
    ['azure-manage', 'blocker', 'target.manage: databases'],
  ]);
  for (const name of ['azure/firewall-worker', 'azure/load-size', 'azure/load-parameters']) {
    const failure: unknown = await scene.perform(unmanaged, name).catch((error: unknown) => error);
    expect(isFailure(failure, 'CONFIG_INVALID')).toBe(true);
  }
  expect(await scene.count('Servers_Update')).toBe(0);
});

test('a restart that somebody else left to do needs an approval too', async () => {
  await setBySomebody({ name: 'innodb_ft_min_token_size', value: '2', source: 'user-override' });
  const { acts } = await scene.survey(managed);
  expect(acts.find(({ name }) => name === 'azure/load-parameters')).toMatchObject({
    interrupts: expect.stringMatching(/restarts.*innodb_ft_min_token_size/) as string,
    needsApproval: true,
  });
  await setBySomebody({ name: 'innodb_ft_min_token_size', source: 'system-default' });
});

test('with it a restart needs an approval, and abort puts size, parameters and firewall back', async () => {
  const names = ['max_allowed_packet', 'local_infile', 'sql_mode', 'innodb_ft_min_token_size'];
  const before = await scene.variables(managed, HOST, names);
  const { findings, acts } = await scene.survey(managed);
  expect(findings).toEqual([]);
  const planned = acts.filter(({ when }) => when === 'preparation');
  expect(planned.map(({ name, needsApproval }) => [name, needsApproval])).toEqual([
    ['azure/firewall-worker', false],
    ['azure/load-size', true],
    ['azure/load-parameters', true],
  ]);
  expect(planned[2]?.interrupts).toMatch(/restarts.*innodb_ft_min_token_size/);
  expect(planned[2]?.cannotBeUndone).toMatch(/gtid_mode/);
  const formers: Formers = Object.fromEntries(acts.map(({ name, former = {} }) => [name, former]));
  // Somebody else is at it: it is waited for, then done.
  await restartBySomebody();
  for (const { name } of planned) await scene.perform(managed, name, formers);
  const loading = await scene.survey(managed);
  expect(loading.acts.filter(({ when }) => when === 'preparation')).toEqual([]);
  expect(loading.facts.join()).toMatch(/Standard_D4ds_v4/);
  expect(await scene.variables(managed, HOST, names)).not.toEqual(before);

  const lines = await scene.undo(managed, true, formers);
  expect(lines).toEqual([
    expect.stringContaining('no longer let in'),
    expect.stringContaining('the size is as before'),
    expect.stringContaining('parameters are as before'),
    expect.stringContaining('Azure lets nobody turn GTIDs off again'),
  ]);
  const { innodb_ft_min_token_size: _static, ...dynamic } = before;
  expect(await scene.variables(managed, HOST, names)).toMatchObject(dynamic);
  // Never deleted, whatever abort is told; its tags are as they were.
  const after = await scene.survey(managed);
  expect(after.address).not.toBeNull();
  expect(after.facts.join()).toMatch(/Standard_D2ds_v4, 64 GB, 900 IOPS/);
}, 90_000);

test('applications that an earlier migration of this name let in stay so, whatever becomes of this one', async () => {
  const { firewallRules } = await client();
  const rule = 'skyferry-shop-consumer-app';
  const range = { startIpAddress: '198.51.100.1', endIpAddress: '198.51.100.9' };
  await firewallRules.beginCreateOrUpdateAndWait(target.resourceGroup, target.server, rule, range, { updateIntervalInMs: 200 }); // prettier-ignore
  const consumers = [
    { name: 'app', from: '198.51.100.1', to: '198.51.100.9' },
    { name: 'reports', from: '198.51.100.20', to: '198.51.100.20' },
  ];
  const config = azureConfig({ ...existing, manage: ['firewall'], firewall: { consumers } });
  const { acts } = await scene.survey(config);
  const opening = acts.find(({ name }) => name === 'azure/firewall-consumers');
  const formers: Formers = { 'azure/firewall-consumers': opening?.former ?? {} };
  await scene.perform(config, 'azure/firewall-consumers', formers);
  expect(await scene.undo(config, true, formers)).toEqual([
    'no longer let in: 198.51.100.20 (skyferry-shop-consumer-reports)',
  ]);
  const left = await firewallRules.get(target.resourceGroup, target.server, rule);
  expect(left).toMatchObject(range);
}, 30_000);

test('a size that is changed only before the window is put back too, and what it could not hold', async () => {
  await setBySomebody({ name: 'max_connections', value: '1200', source: 'user-override' });
  const later = azureConfig({
    ...existing,
    manage: ['parameters', 'firewall', 'sku', 'databases'],
    sku: { run: 'Standard_B2s' },
    iops: undefined,
  });
  const { acts } = await scene.survey(later);
  expect(acts.map(({ name }) => name)).not.toContain('azure/load-size');
  const resize = acts.find(({ name }) => name === 'azure/run-size');
  expect(resize).toMatchObject({ undo: expect.stringContaining('Standard_D2ds_v4') as string });
  const formers: Formers = Object.fromEntries(acts.map(({ name, former = {} }) => [name, former]));
  await scene.perform(later, 'azure/run-parameters', formers);
  await scene.perform(later, 'azure/run-size', formers);
  expect((await scene.survey(later)).facts.join()).toContain('Standard_B2s');
  expect(await scene.variables(later, HOST, ['max_connections'])).toEqual({
    max_connections: '682',
  });
  await scene.undo(later, false, formers);
  expect((await scene.survey(later)).facts.join()).toMatch(/Standard_D2ds_v4, 64 GB, 900 IOPS/);
  expect(await scene.variables(later, HOST, ['max_connections'])).toEqual({
    max_connections: '1200',
  });
}, 90_000);
