import type { Parameter } from '@aws-sdk/client-rds';
import {
  CreateDBParameterGroupCommand,
  DeleteDBParameterGroupCommand,
  DescribeDBParameterGroupsCommand,
  ModifyDBParameterGroupCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awsErrorCodes } from '../../src/clouds/aws/errors.ts';
import { RdsApi } from '../../src/clouds/aws/rds.ts';
import { azureErrorCode, toAzureFailure } from '../../src/clouds/azure/errors.ts';
import { nameTaken } from '../../src/clouds/azure/region.ts';
import { createDnsLookup } from '../../src/clouds/dns/authoritative.ts';
import { createAzureDnsSwitch } from '../../src/cutover/switches/azure-dns.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { targetEndpoint } from '../../src/prepare/clouds-job.ts';
import type { Survey } from '../../src/prepare/act.ts';
import { undoClouds } from '../../src/prepare/open-act.ts';
import { surveyClouds } from '../../src/prepare/survey-clouds.ts';
import type { Scene } from './scene.ts';
import { clearUp, createInstance, openScene } from './scene.ts';

/** Each test builds on those before it: one server lives through all of them. */
let scene: Scene;
let isOpen = false;
let instanceStates: string[] = [];
let target: Survey;

const KNOWN_INSTANCE_STATES = ['creating', 'backing-up', 'configuring-enhanced-monitoring', 'configuring-log-exports', 'modifying', 'rebooting', 'available']; // prettier-ignore

beforeAll(async () => {
  scene = await openScene();
  isOpen = true;
  if (scene.accounts.aws.instance === null) instanceStates = await createInstance(scene);
});
afterAll(async () => {
  if (isOpen) await clearUp(scene);
});

const azure = async () => await scene.administrator.azure.mysql(scene.accounts.azure.subscription);
const blockersOf = ({ findings }: Survey) =>
  findings.filter(({ severity }) => severity === 'blocker');

function actOf({ acts }: Survey, name: string) {
  const act = acts.find((one) => one.name === name);
  if (act === undefined) throw new Error(`the survey plans no ${name}`);
  return act;
}

/** The vendor's code of a refusal. */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  return await work.then(
    () => 'was accepted',
    (error: unknown) => azureErrorCode(error) ?? awsErrorCodes(error)[0],
  );
}

async function ask(sql: string): Promise<string[]> {
  const job = scene.job();
  if (job.addresses.target === null) throw new Error('the target has no address');
  const endpoint = await targetEndpoint(job, job.addresses.target);
  return await withConnection(endpoint, { signal: scene.signal }, async (connection) => {
    const [row = {}] = await connection.query(sql);
    return Object.values(row).map(String);
  });
}

test('discovery: the source is found by its name, and surveyed without blockers', async () => {
  const { source } = await scene.survey();
  // What is in a given instance is not the suite's matter.
  const isOwn = scene.accounts.aws.instance === null;
  const blockers = blockersOf(source).filter(({ code }) => isOwn || /^(rds|source)-/.test(code));
  expect(blockers).toEqual([]);
  expect(source.address?.host).toMatch(
    new RegExp(`^${scene.instance}\\..*\\.rds\\.amazonaws\\.com$`),
  );
  expect(source.facts.join('\n')).toMatch(/the server says: version \d+\.\d+/);
  expect(source.facts.join('\n')).toMatch(/\((in-sync|pending-reboot)\)/);
  expect(instanceStates.filter((state) => !KNOWN_INSTANCE_STATES.includes(state))).toEqual([]);
});

test('error codes of RDS: what is missing, a taken name, a default group, a right that is missing', async () => {
  const { rds, run, accounts } = scene;
  const view = await new RdsApi(rds).view({ scope: 'instance', id: scene.instance }, scene.signal);
  const { DBParameterGroups: [group] = [] } = await rds.send(
    new DescribeDBParameterGroupsCommand({ DBParameterGroupName: view?.parameterGroup }),
  );
  const family = group?.DBParameterGroupFamily ?? '';
  const create = () =>
    rds.send(
      new CreateDBParameterGroupCommand({
        DBParameterGroupName: run,
        DBParameterGroupFamily: family,
        Description: 'made by a test, used by nothing',
      }),
    );
  const row: Parameter = {
    ParameterName: 'binlog_format',
    ParameterValue: 'ROW',
    ApplyMethod: 'immediate',
  };
  const modify = (name: string) =>
    new ModifyDBParameterGroupCommand({ DBParameterGroupName: name, Parameters: [row] });
  await create();
  expect(await refusal(create())).toBe('DBParameterGroupAlreadyExists');
  expect(await refusal(rds.send(modify(`default.${family}`)))).toBe('InvalidParameterValue');
  const removal = new DeleteDBParameterGroupCommand({ DBParameterGroupName: `default.${family}` });
  expect(await refusal(rds.send(removal))).toBe('InvalidDBParameterGroupState');
  const own = await accounts.clients('skyferry').aws.rds(accounts.aws.region);
  expect(await refusal(own.send(modify(`default.${family}`)))).toBe('AccessDenied');
  expect(await new RdsApi(own).instance(`${run}-missing`, scene.signal)).toBeNull();
  await rds.send(new DeleteDBParameterGroupCommand({ DBParameterGroupName: run }));
});

test('an instance of its own is led to ROW, FULL and GTID; a given one is left as it is', async () => {
  const { source } = await scene.survey();
  if (scene.accounts.aws.instance !== null) return;
  for (const act of source.acts) scene.say(await scene.perform(act));
  const after = await scene.survey();
  expect(after.source.acts).toEqual([]);
  expect(after.source.facts.join('\n')).toMatch(/binlog_format ROW.*gtid_mode ON,/);
});

test('the survey of a server that is still to be made: a free name, no blockers, all acts', async () => {
  ({ target } = await scene.survey());
  expect(blockersOf(target)).toEqual([]);
  expect(target.address).toBeNull();
  expect(target.acts.map(({ name }) => name)).toEqual([
    'azure/server',
    'azure/firewall-worker',
    'azure/load-parameters',
    'azure/run-parameters',
    'azure/run-size',
    'azure/hand-over',
    'azure/final-parameters',
    'azure/remove-worker-firewall',
  ]);
});

test('create: begun twice it is one server, which passes through known states and is Ready', async () => {
  const { run, accounts } = scene;
  const { servers } = await azure();
  const create = actOf(target, 'azure/server');
  await scene.begin(create);
  const states = await scene.statesDuring(
    scene.perform(create),
    async () => (await servers.get(accounts.azure.resourceGroup, run)).state,
  );
  expect(states.filter((state) => !['Creating', 'Updating', 'Ready'].includes(state))).toEqual([]);
  expect(states.at(-1)).toBe('Ready');
  expect(await servers.get(accounts.azure.resourceGroup, run)).toMatchObject({
    sku: { name: 'Standard_B2s', tier: 'Burstable' },
    tags: { 'skyferry-migration': run },
    fullyQualifiedDomainName: `${run}.mysql.database.azure.com`,
  });
});

test('firewall: the worker is let in, and logs in with a verified certificate', async () => {
  await scene.perform(actOf(target, 'azure/firewall-worker'));
  const { firewallRules } = await azure();
  const { resourceGroup } = scene.accounts.azure;
  const rule = await firewallRules.get(resourceGroup, scene.run, `skyferry-${scene.run}-worker`);
  expect(rule.startIpAddress).toBe(scene.accounts.workerAddress);
  expect(await ask('SELECT @@lower_case_table_names, @@require_secure_transport')).toEqual(['1', '1']); // prettier-ignore
  await expect(ask('SET GLOBAL max_connections = 50')).rejects.toMatchObject({ code: 'ACCESS_DENIED' }); // prettier-ignore
});

test('error codes of Azure: what is missing, a taken name, what never changes', async () => {
  const client = await azure();
  const { resourceGroup, location } = scene.accounts.azure;
  const missing = client.servers.get(resourceGroup, `${scene.run}-missing`);
  expect(await refusal(missing)).toBe('ResourceNotFound');
  expect(await nameTaken(client, { location, name: scene.run }, scene.signal)).toBe('AlreadyExists'); // prettier-ignore
  const other = { ...scene.job(), config: { ...scene.config, name: 'another-migration' } };
  const seen = await surveyClouds(other, { signal: scene.signal });
  expect(blockersOf(seen.target).map(({ code }) => code)).toContain('azure-server-name');
  const weak = client.servers.beginUpdate(resourceGroup, scene.run, { administratorLoginPassword: 'weak' }); // prettier-ignore
  expect(await refusal(weak)).toBe('PasswordNotComplex');
  const set = (name: string, value: string) =>
    client.configurations.beginUpdate(resourceGroup, scene.run, name, { value, source: 'user-override' }); // prettier-ignore
  expect(await refusal(set('no_such_parameter', '1'))).toBe('InvalidParameterName');
});

test('parameters: dynamic and static ones are set, with a restart, and the server has them', async () => {
  scene.say(await scene.perform(actOf(target, 'azure/load-parameters')));
  expect(
    await ask('SELECT @@innodb_ft_min_token_size, @@sql_generate_invisible_primary_key, @@binlog_row_image'), // prettier-ignore
  ).toEqual(['2', '0', 'FULL']);
  const again = await scene.survey();
  expect(again.target.acts.filter(({ when }) => when === 'preparation')).toEqual([]);
});

test('scale: one restart, states that are known; meanwhile nothing else may be changed', async () => {
  const { servers } = await azure();
  const { resourceGroup } = scene.accounts.azure;
  await scene.perform(actOf(target, 'azure/run-parameters'));
  const [, before = ''] = await ask("SHOW GLOBAL STATUS LIKE 'Uptime'");
  const since = Date.now();
  const resize = actOf(target, 'azure/run-size');
  const begun = await scene.begin(resize);
  expect(begun.token).not.toBeNull();
  expect(begun.token).not.toMatch(/Bearer|Horse/);
  const second = servers.beginUpdate(resourceGroup, scene.run, { tags: { second: 'yes' } });
  const refused = await second.then(
    () => null,
    (error: unknown) => error,
  );
  const states = await scene.statesDuring(
    scene.perform(resize),
    async () => (await servers.get(resourceGroup, scene.run)).state,
  );
  expect(azureErrorCode(refused)).toBe('ServerIsBusy');
  expect(toAzureFailure(refused, 'a second change')).toMatchObject({ code: 'CLOUD_BUSY' });
  expect(states).toEqual(['Updating', 'Ready']);
  const { sku } = await servers.get(resourceGroup, scene.run);
  expect(sku?.name).toBe('Standard_B1ms');
  const [, after = ''] = await ask("SHOW GLOBAL STATUS LIKE 'Uptime'");
  expect(Number(after)).toBeLessThan(Number(before) + (Date.now() - since) / 1000 - 0.5);
});

test('a DNS record is switched, served and switched back; a stale etag is refused', async () => {
  const { accounts, run, signal, config } = scene;
  const { subscription, resourceGroup, zone } = accounts.azure;
  const { recordSets } = await scene.administrator.azure.dns(subscription);
  const from = scene.job().addresses.source?.host ?? '';
  const to = `${run}.mysql.database.azure.com`;
  const first = await recordSets.createOrUpdate(resourceGroup, zone, run, 'CNAME', {
    ttl: 5,
    cnameRecord: { cname: from },
  });
  const lookup = createDnsLookup({ env: accounts.env });
  const change = createAzureDnsSwitch({
    consumer: config.name,
    subscription,
    resourceGroup,
    zone,
    record: run,
    from,
    to,
    ttl: 5,
    clients: accounts.clients('skyferry').azure,
    dns: lookup,
  });
  await change.precondition(signal);
  await change.do(signal);
  await change.probe(signal);
  const served = async () => (await lookup.askZone(zone, `${run}.${zone}`, signal))[0]?.value;
  expect(await served()).toBe(to);
  const stale = recordSets.update(resourceGroup, zone, run, 'CNAME', { ttl: 9 }, { ifMatch: first.etag ?? '' }); // prettier-ignore
  expect(await refusal(stale)).toBe('PreconditionFailed');
  await change.undo(signal);
  await change.undo(signal);
  const { cnameRecord } = await recordSets.get(resourceGroup, zone, run, 'CNAME');
  expect(cnameRecord?.cname).toBe(from);
});

test('at the end the worker is no longer let in, and what was borrowed is put back', async () => {
  await scene.perform(actOf(target, 'azure/final-parameters'));
  expect(await ask('SELECT @@local_infile')).toEqual(['0']);
  await scene.perform(actOf(target, 'azure/remove-worker-firewall'));
  const { firewallRules } = await azure();
  const rule = `skyferry-${scene.run}-worker`;
  expect(await refusal(firewallRules.get(scene.accounts.azure.resourceGroup, scene.run, rule))).toBe('ResourceNotFound'); // prettier-ignore
});

test('abort --delete-created removes the server that it made, once and for all', async () => {
  const undo = () => undoClouds(scene.job(), { deleteCreated: true, signal: scene.signal });
  expect((await undo()).join('\n')).toContain(`removed the Azure server ${scene.run}`);
  expect((await scene.survey()).target.address).toBeNull();
  expect((await undo()).join('\n')).not.toContain('removed the Azure server');
});
