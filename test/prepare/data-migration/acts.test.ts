import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import type { MigrationConfig } from '../../../src/config/schema.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { openAct, undoClouds } from '../../../src/prepare/open-act.ts';
import { runningOnTarget } from '../../../src/prepare/running.ts';
import { surveyClouds } from '../../../src/prepare/survey-clouds.ts';
import { skyferryDataMigrationRole } from '../../../src/sandbox/clouds/azure/role.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { dmsConfig, openDmsScene, signal, subnet } from './scene.ts';

const [SERVICE, PROJECT, REMOVE] = ['azure-dms/service', 'azure-dms/project', 'azure-dms/remove'];
const quietly = { signal, onProgress: () => {} };

let clouds: TestClouds;
let scene: ReturnType<typeof openDmsScene>;

beforeAll(async () => {
  clouds = await startClouds();
  scene = openDmsScene(clouds);
}, 60_000);
afterAll(async () => await clouds.stop());

const names = (acts: readonly { name: string }[]) => acts.map(({ name }) => name);

/** Service and project, as a migration has them that is prepared. */
async function prepare(config: MigrationConfig): Promise<void> {
  await scene.perform(config, SERVICE);
  await scene.perform(config, PROJECT);
}

/** As somebody made it who is no migration. */
async function makeByHand(name: string): Promise<void> {
  const service = await scene.service(name);
  await service.create({ location: 'eastus', subnet: subnet('migration'), tags: {} }, signal);
  await atWork(name);
}

async function atWork(name: string): Promise<void> {
  const service = await scene.service(name);
  while ((await service.find(signal))?.state !== 'Succeeded') await delay(100);
}

test('the survey of nothing: what it costs and how it goes away; after preparing, since when it costs', async () => {
  const config = dmsConfig('planned', { hourlyPrice: 0.5 });
  const { acts, findings, running } = await scene.survey(config);
  expect({ findings, running }).toEqual({ findings: [], running: [] });
  expect(acts.map(({ name, when, needsApproval }) => [name, when, needsApproval])).toEqual([
    [SERVICE, 'preparation', true],
    [PROJECT, 'preparation', false],
    [REMOVE, 'completion', false],
  ]);
  expect(acts[0]).toMatchObject({
    does: 'create the migration service skyferry-planned (Premium, 4 vCores) in eastus, in the subnet shop/migration',
    costs: 'about 0.5 USD an hour (by your price), until it is removed after the switch',
    undo: 'removed',
  });
  const estimated = await scene.survey(dmsConfig('planned', { keep: true }));
  expect(names(estimated.acts)).toEqual([SERVICE, PROJECT]);
  expect(estimated.acts[0]?.costs).toMatch(/estimate, entered 20.*until somebody removes it/);

  const before = Date.now();
  await prepare(config);
  const after = await scene.survey(config);
  expect(names(after.acts)).toEqual([REMOVE]);
  expect(after.running).toMatchObject([{ hourly: 0.5, removedBy: REMOVE }]);
  const since = Date.parse(after.running[0]?.since ?? '');
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThanOrEqual(Date.now());
});

test('they are the target’s, after its server’s own, only for this engine; abort takes them by itself, also while they are made', async () => {
  const source = { kind: 'rds-mysql', region: 'eu-central-1', instance: 'none', user: 'u', password: '${env:P}' }; // prettier-ignore
  const config = dmsConfig('wired', {}, { source });
  const job = (wanted: MigrationConfig) => ({
    config: wanted,
    aws: createAwsClients({ env: clouds.env, ca: clouds.ca }),
    azure: scene.clients,
    secrets: createSecretResolver({ env: {}, secretsDirectory: clouds.folder }),
    now: () => new Date(),
    formers: {},
    addresses: { source: null, target: null },
  });
  const { target } = await surveyClouds(job(config), { signal });
  expect(names(target.acts).filter((name) => /server|dms/.test(name))).toEqual(['azure/server', SERVICE, PROJECT, REMOVE]); // prettier-ignore
  const other = await surveyClouds(job({ ...config, engine: 'native' }), { signal });
  expect(names(other.target.acts).filter((name) => name.includes('dms'))).toEqual([]);

  await (await openAct(job(config), SERVICE, signal)).begin(signal);
  const unused = await surveyClouds(job(config), { engine: 'built-in', signal });
  expect(names(unused.target.acts).filter((name) => name.includes('dms'))).toEqual([REMOVE]);
  const [running] = await runningOnTarget(job(config), { signal });
  expect(running?.resource).toContain('migration service skyferry-wired');
  expect(await undoClouds(job(config), { deleteCreated: false, signal })).toEqual([
    'the migration service skyferry-wired is gone, with what was in it',
  ]);
  expect(await runningOnTarget(job(config), { signal })).toEqual([]);
});

test('lost answers and a worker that died make one service and one project; another process waits for them', async () => {
  const config = dmsConfig('once');
  await clouds.faults([
    { match: { operation: 'Services_CreateOrUpdate' }, kind: 'drop-after' },
    { match: { operation: 'Projects_CreateOrUpdate' }, kind: 'drop-after' },
  ]);
  await scene.act(config, SERVICE).begin(signal);
  const other = openDmsScene(clouds);
  expect(names((await other.survey(config)).acts)).toEqual([SERVICE, PROJECT, REMOVE]);
  const { note } = await other.perform(config, SERVICE);
  expect(note).toBe('the migration service skyferry-once is there: Premium_4vCores in eastus');
  await scene.act(config, PROJECT).begin(signal);
  await other.perform(config, PROJECT);
  expect(await scene.count('Services_CreateOrUpdate', 'skyferry-once')).toBe(1);
  expect(await scene.count('Projects_CreateOrUpdate', 'skyferry-once')).toBe(1);
});

test('what does not reach Azure is a failure to try again, not a service', async () => {
  const config = dmsConfig('unsent');
  await clouds.faults([{ match: { operation: 'Services_CreateOrUpdate' }, kind: 'drop-before' }]);
  await expect(scene.act(config, SERVICE).begin(signal)).rejects.toMatchObject({ code: 'CLOUD_BUSY' }); // prettier-ignore
  expect(await (await scene.service('skyferry-unsent')).find(signal)).toBeNull();
});

test('a service whose making failed is said so, and made by the next try', async () => {
  const config = dmsConfig('failing');
  await clouds.faults([
    { match: { operation: 'Services_CreateOrUpdate' }, kind: 'fail-operation', code: 'QuotaExceeded' }, // prettier-ignore
  ]);
  await expect(scene.perform(config, SERVICE)).rejects.toMatchObject({
    code: 'CLOUD_FAILED',
    message: 'the migration service skyferry-failing is Failed',
  });
  const { acts, findings } = await scene.survey(config);
  expect({ acts: names(acts), findings }).toEqual({
    acts: [SERVICE, PROJECT, REMOVE],
    findings: [],
  });
  await prepare(config);
  expect(names((await scene.survey(config)).acts)).toEqual([REMOVE]);
});

test('after the switch both go, slowly, whoever is killed meanwhile; a deletion that fails is said so', async () => {
  const config = dmsConfig('ended');
  await prepare(config);
  await clouds.faults([{ match: { operation: 'Services_Delete' }, kind: 'fail-operation' }]);
  await expect(scene.perform(config, REMOVE)).rejects.toMatchObject({
    code: 'CLOUD_FAILED',
    detail: { next: expect.stringContaining('az dms delete') as string },
  });

  await clouds.faults([{ match: { operation: 'Services_Delete' }, kind: 'drop-after' }]);
  await scene.act(config, REMOVE).begin(signal);
  const steps: string[] = [];
  const other = openDmsScene(clouds).act(config, REMOVE);
  const waiting = { signal, onProgress: (step: string) => void steps.push(step) };
  const { note } = await other.complete({ token: null }, waiting);
  expect(note).toBe('the migration service skyferry-ended is gone, with what was in it');
  expect(steps).toContain('the service is being removed');
  expect(await (await scene.service('skyferry-ended')).find(signal)).toBeNull();
  // The one that failed, and one more.
  expect(await scene.count('Services_Delete', 'skyferry-ended')).toBe(2);
  expect((await other.complete({ token: null }, quietly)).note).toBe(note);
});

test('abort of what was never made says nothing; with keep it says what goes on costing', async () => {
  const config = dmsConfig('aborted');
  expect(await scene.undo(config)).toEqual([]);
  const kept = dmsConfig('kept', { keep: true });
  await prepare(kept);
  expect(await scene.undo(kept)).toEqual([
    expect.stringMatching(/^kept the migration service skyferry-kept.*goes on costing about/),
  ]);
  expect((await (await scene.service('skyferry-kept')).find(signal))?.state).toBe('Succeeded');
});

test('a service that was there is used, and only freed of our project', async () => {
  await makeByHand('shared');
  const shared = await scene.service('shared');
  await shared.createProject('theirs', 'eastus', signal);
  const config = dmsConfig('guest', { service: 'shared' });
  const { acts, findings } = await scene.survey(config);
  expect(names(acts)).toEqual([PROJECT, REMOVE]);
  expect(acts[1]?.does).toBe('remove the project guest from the migration service shared, which stays'); // prettier-ignore
  expect(findings).toMatchObject([{ severity: 'info' }]);
  await scene.perform(config, PROJECT);
  await scene.perform(config, REMOVE);
  expect(await shared.projects(signal)).toEqual(['theirs']);
  await scene.perform(config, PROJECT);
  expect(await scene.undo(config)).toEqual([
    'nothing of this migration is left in the migration service shared, which was there before',
  ]);
  expect(await shared.projects(signal)).toEqual(['theirs']);
});

test('one that we made and that others use by now stays, and says so', async () => {
  const config = dmsConfig('host');
  const guest = dmsConfig('lodger', { service: 'skyferry-host' });
  await prepare(config);
  await scene.perform(guest, PROJECT);
  expect((await scene.perform(config, REMOVE)).note).toMatch(/stays because others use it \(lodger\); it goes on costing/); // prettier-ignore
  expect(await (await scene.service('skyferry-host')).projects(signal)).toEqual(['lodger']);
});

test('a service that cannot be used is a blocker, each reason by itself', async () => {
  await makeByHand('elsewhere');
  await (await scene.service('elsewhere')).createProject('misfit', 'eastus', signal);
  const config = dmsConfig('misfit', {
    service: 'elsewhere',
    subnet: subnet('other'),
    location: 'westeurope',
  });
  const { findings } = await scene.survey(config);
  expect(findings.filter(({ severity }) => severity === 'blocker')).toEqual([
    expect.objectContaining({ found: `stands in another subnet: ${subnet('migration')}` }),
    expect.objectContaining({ found: 'is in eastus' }),
    expect.objectContaining({ found: 'has a project misfit that this migration did not make' }),
  ]);
  await expect(scene.act(config, PROJECT).begin(signal)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' }); // prettier-ignore

  await scene.makeStandard('small');
  await atWork('small');
  const small = await scene.survey(dmsConfig('small', { service: 'small' }));
  expect(small.findings).toContainEqual(
    expect.objectContaining({ found: expect.stringContaining('only the Premium tier') as string }),
  );
});

test('without the rights of the documented role it is a refusal that names the right', async () => {
  const rights = skyferryDataMigrationRole as string[];
  const place = rights.indexOf('Microsoft.DataMigration/services/write');
  const [right = ''] = rights.splice(place, 1);
  try {
    await expect(scene.act(dmsConfig('denied'), SERVICE).begin(signal)).rejects.toMatchObject({
      code: 'CLOUD_DENIED',
      message: expect.stringContaining(right) as string,
    });
  } finally {
    rights.splice(place, 0, right);
  }
});
