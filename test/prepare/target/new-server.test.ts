import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../src/mysql/connection.ts';
import {
  consumerAccountsAct,
  planConsumerAccounts,
} from '../../../src/prepare/target/consumer-accounts.ts';
import { azureTarget } from '../../../src/prepare/target/target.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { azureConfig } from './config.ts';
import { openScene, PASSWORD, signal } from './scene.ts';

const HOST = 'shop-db.mysql.database.azure.com';
const config = azureConfig({
  create: {
    location: 'eastus',
    storageGb: 64,
    network: { access: 'public' },
    highAvailability: 'same-zone',
  },
  iops: { load: 3000, run: 1200 },
  // More connections than the size to run with can hold, and a log that would slow the load down.
  parameters: { max_connections: '2000', slow_query_log: 'ON' },
  firewall: {
    worker: '203.0.113.7',
    consumers: [{ name: 'app', from: '198.51.100.1', to: '198.51.100.9' }],
  },
});
const quietly = { signal, onProgress: () => {} };

let clouds: TestClouds;
let scene: ReturnType<typeof openScene>;

beforeAll(async () => {
  clouds = await startClouds();
  scene = openScene(clouds);
}, 60_000);
afterAll(async () => await clouds.stop());

test('the survey of nothing plans everything, with what it costs and what can never be changed', async () => {
  const { acts, findings, address, running } = await scene.survey(config);
  expect({ findings, address, running }).toEqual({ findings: [], address: null, running: [] });
  expect(acts.map(({ name, when, needsApproval }) => [name, when, needsApproval])).toEqual([
    ['azure/server', 'preparation', true],
    ['azure/firewall-worker', 'preparation', false],
    ['azure/firewall-consumers', 'preparation', false],
    ['azure/load-parameters', 'preparation', false],
    ['azure/run-parameters', 'before-window', false],
    ['azure/run-size', 'before-window', true],
    ['azure/high-availability', 'before-window', true],
    ['azure/hand-over', 'completion', false],
    ['azure/final-parameters', 'completion', false],
    ['azure/remove-worker-firewall', 'completion', false],
  ]);
  expect(acts[0]).toMatchObject({
    costs: expect.stringContaining('USD an hour'),
    cannotBeUndone: expect.stringContaining('lower_case_table_names=1'),
  });
});

test('a lost answer and a worker that died before saving make one server; another process waits for it', async () => {
  await clouds.faults([{ match: { operation: 'Servers_Create' }, kind: 'drop-after' }]);
  const lost = await scene.act(config, 'azure/server').begin(signal);
  expect(lost.token).not.toBeNull();

  const other = openScene(clouds);
  const begun = await other.act(config, 'azure/server').begin(signal);
  expect(JSON.stringify([lost, begun])).not.toMatch(
    new RegExp(`${PASSWORD}|Bearer|sandbox-client`),
  );
  const { address } = await other.act(config, 'azure/server').complete(begun, quietly);
  expect(address).toEqual({ host: HOST, port: 3306 });
  expect(await scene.act(config, 'azure/server').begin(signal)).toEqual({ token: null });
  expect(await scene.count('Servers_Create')).toBe(1);
}, 60_000);

test('parameters of the source and for the load are set, read back, and the real server has them', async () => {
  await scene.perform(config, 'azure/firewall-worker');
  await scene.perform(config, 'azure/firewall-consumers');
  const { note } = await scene.perform(config, 'azure/load-parameters');
  expect(note).toMatch(/read back from the server/);
  expect(
    await scene.variables(config, HOST, [
      'sql_mode',
      'character_set_server',
      'max_allowed_packet',
      'local_infile',
      'innodb_ft_min_token_size',
      'sql_generate_invisible_primary_key',
      'max_connections',
      'slow_query_log',
      'binlog_expire_logs_seconds',
    ]),
  ).toEqual({
    sql_mode: 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
    character_set_server: 'latin1',
    max_allowed_packet: '1073741824',
    local_infile: 'ON',
    // Static: it took a restart, which nobody minds on a server that is new.
    innodb_ft_min_token_size: '2',
    sql_generate_invisible_primary_key: 'OFF',
    max_connections: '2000',
    slow_query_log: 'OFF',
    binlog_expire_logs_seconds: '2592000',
  });
}, 60_000);

test('surveyed again, nothing is left to prepare, and what runs is priced', async () => {
  const { acts, address, running, findings } = await scene.survey(config);
  expect(findings).toEqual([]);
  expect(acts.filter(({ when }) => when === 'preparation')).toEqual([]);
  expect(address).toEqual({ host: HOST, port: 3306 });
  expect(running).toEqual([
    { resource: expect.stringContaining('Standard_D4ds_v4'), hourly: 0.4021, since: expect.stringMatching(/^20\d\d-/) }, // prettier-ignore
  ]);
});

test('an account of an application that was made, and then not granted everything, is still to be made', async () => {
  const account = { user: 'app', password: '${env:APP_PASSWORD}' };
  const at = { from: 'a.example:3306', to: `${HOST}:3306` };
  const switches = [{ consumer: 'app', kind: 'file', path: 'app.env', ...at, account }];
  const consumer = azureConfig({}, { schemas: ['shop', 'audit'], cutover: { switches } });
  const endpoint = scene.endpoint(consumer, HOST);
  const connect = async () => await openConnection(endpoint, { signal });
  const planned = async () =>
    (await planConsumerAccounts(consumer, connect)).map(({ does }) => does);
  await using admin = await connect();
  await admin.query("CREATE USER app@'%' IDENTIFIED BY 'Horse-7-battery'");
  await admin.query("GRANT SELECT ON shop.* TO app@'%'");
  expect(await planned()).toEqual([expect.stringContaining('create the accounts app')]);
  const act = consumerAccountsAct({ config: consumer, target: async () => endpoint, resolve: async () => 'Horse-8-battery' }); // prettier-ignore
  await act.complete(await act.begin(signal), quietly);
  expect(await planned()).toEqual([]);
});

test('before the window the load’s settings go, the size changes with one restart, and the standby comes', async () => {
  await scene.perform(config, 'azure/run-parameters');
  const resize = scene.act(config, 'azure/run-size');
  const begun = await resize.begin(signal);
  expect(begun.token).not.toBeNull();
  expect(begun.token).not.toMatch(new RegExp(`${PASSWORD}|Bearer|sandbox-client`));
  // Another process takes the waiting up from the token alone.
  const { note } = await openScene(clouds).act(config, 'azure/run-size').complete(begun, quietly);
  expect(note).toMatch(/Standard_D2ds_v4, 1200 IOPS; it answers/);
  expect(await scene.count('Servers_Update')).toBe(1);
  await scene.perform(config, 'azure/high-availability');
  expect((await scene.survey(config)).facts.join()).toMatch(/high availability SameZone/);
  const names = ['local_infile', 'max_connections', 'slow_query_log'];
  expect(await scene.variables(config, HOST, names)).toEqual({
    // The engine still needs it.
    local_infile: 'ON',
    max_connections: '1365',
    slow_query_log: 'ON',
  });
}, 60_000);

test('at the end the server is as it is to be, and the worker is no longer let in', async () => {
  await scene.perform(config, 'azure/hand-over');
  await scene.perform(config, 'azure/final-parameters');
  await scene.perform(config, 'azure/remove-worker-firewall');
  const names = ['event_scheduler', 'local_infile', 'max_allowed_packet'];
  expect(await scene.variables(config, HOST, names)).toEqual({
    event_scheduler: 'ON',
    local_infile: 'OFF',
    max_allowed_packet: '67108864',
  });
  expect((await scene.survey(config)).acts.map(({ name }) => name)).toContain(
    'azure/firewall-worker',
  );
});

test('once it is handed over, no start of the same name takes it up, and no abort removes it', async () => {
  const { findings } = await scene.survey(config);
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: 'azure-server-name',
      severity: 'blocker',
      found: expect.stringContaining('has switched to it') as string,
    }),
  );
  await expect(scene.perform(config, 'azure/server')).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' }); // prettier-ignore
  expect(await scene.undo(config, true)).toEqual([
    'no longer let in: 203.0.113.7 (skyferry-shop-worker)',
  ]);
  expect((await scene.survey(config)).address).not.toBeNull();
  // As it was before the switch.
  const { subscription, resourceGroup, server } = azureTarget(config);
  const { servers } = await scene.clients.mysql(subscription);
  const before = { tags: { 'skyferry-migration': 'shop' } };
  await servers.beginUpdateAndWait(resourceGroup, server, before, { updateIntervalInMs: 200 });
});

test('abort keeps what it made and says what it costs, unless told to remove it; never another migration’s', async () => {
  expect(await scene.undo(config, false)).toContainEqual(
    expect.stringMatching(/^kept the Azure server shop-db .*--delete-created/),
  );
  const stranger = azureConfig({}, { name: 'other' });
  await scene.undo(stranger, true);
  expect((await scene.survey(config)).address).not.toBeNull();
  expect(await scene.undo(config, true)).toEqual([
    'removed the Azure server shop-db in rg-shop, which this migration had made',
  ]);
  expect((await scene.survey(config)).address).toBeNull();
  expect(await scene.undo(config, true)).toEqual(['the Azure server shop-db is not in rg-shop']);
}, 30_000);
