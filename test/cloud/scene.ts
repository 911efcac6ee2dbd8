import type { RDSClient } from '@aws-sdk/client-rds';
import { setTimeout as pause } from 'node:timers/promises';
import { RdsApi } from '../../src/clouds/aws/rds.ts';
import { requireConfig } from '../../src/config/parse.ts';
import type { MigrationConfig } from '../../src/config/schema.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Address } from '../../src/mysql/endpoint.ts';
import type { Formers, PlannedAct } from '../../src/prepare/act.ts';
import { sourceEndpoint } from '../../src/prepare/clouds-job.ts';
import type { ActJob } from '../../src/prepare/open-act.ts';
import { openAct } from '../../src/prepare/open-act.ts';
import { surveyClouds } from '../../src/prepare/survey-clouds.ts';
import type { CloudPlan } from '../../src/prepare/act.ts';
import type { Accounts, Clients } from './accounts.ts';
import { openAccounts } from './accounts.ts';
import { onFakes } from './settings.ts';

/** The sandbox's states last for fractions of a second, the real ones for minutes. */
const POLL_MS = onFakes ? 20 : 5_000;
const signal = AbortSignal.timeout(7_200_000);

/** What all tests of the suite share. Everything that is made has `run` as its name, or within it. */
export interface Scene {
  readonly accounts: Accounts;
  readonly run: string;
  readonly instance: string;
  readonly config: MigrationConfig;
  readonly signal: AbortSignal;
  readonly administrator: Clients;
  readonly rds: RDSClient;
  /** As the worker surveys. */
  survey(): Promise<CloudPlan>;
  /** As the workflow does: begin, then complete with nothing but what begin said. */
  perform(act: PlannedAct): Promise<string>;
  begin(act: PlannedAct): ReturnType<Awaited<ReturnType<typeof openAct>>['begin']>;
  job(): ActJob;
  /** Each state that was seen until `work` ended, once. */
  statesDuring(work: Promise<unknown>, read: () => Promise<string | undefined>): Promise<string[]>;
  /** A line for whoever watches. */
  say(line: string): void;
}

export async function openScene(): Promise<Scene> {
  const accounts = await openAccounts();
  const run = `skyferry-test-${Date.now().toString(36)}`;
  const instance = accounts.aws.instance ?? run;
  const config = configOf(accounts, run, instance);
  const administrator = accounts.clients('administrator');
  const rds = await administrator.aws.rds(accounts.aws.region);
  const addresses: {
    source: ActJob['addresses']['source'];
    target: ActJob['addresses']['target'];
  } = { source: null, target: null };
  const formers: Record<string, Formers[string]> = {};
  const env = {
    SOURCE_PASSWORD: accounts.aws.password,
    // Azure wants three kinds of characters, and nothing of the user's name.
    TARGET_PASSWORD: `Horse-7-${run}`,
    ...(accounts.ca !== undefined && { SKYFERRY_TEST_CA: accounts.ca }),
  };
  const job = (): ActJob => {
    const clients = accounts.clients('skyferry');
    const secrets = createSecretResolver({ secretsDirectory: undefined, env, aws: clients.aws });
    return { config, ...clients, secrets, now: () => new Date(), addresses, formers };
  };
  const say = (line: string) => process.stdout.write(`  ${new Date().toISOString()} ${line}\n`);
  const open = async ({ name, former }: PlannedAct) => {
    if (former !== undefined) formers[name] = former;
    return await openAct(job(), name, signal);
  };
  return {
    accounts,
    run,
    instance,
    config,
    signal,
    administrator,
    rds,
    job,
    say,
    survey: async () => {
      const plan = await surveyClouds(job(), { signal });
      addresses.source = plan.source.address;
      addresses.target = plan.target.address;
      return plan;
    },
    begin: async (act) => await (await open(act)).begin(signal),
    perform: async (act) => {
      const begun = await (await open(act)).begin(signal);
      const onProgress = (step: string) => say(`${act.name}: ${step}`);
      const done = await (await open(act)).complete(begun, { signal, onProgress });
      if (done.address !== undefined) addresses.target = done.address;
      return done.note;
    },
    statesDuring: async (work, read) => {
      const states: string[] = [];
      let ended = false;
      const end = () => (ended = true);
      void work.then(end, end);
      for (;;) {
        const last = ended;
        const state = await read().catch(unlessMissing);
        if (state !== undefined && state !== states.at(-1)) states.push(state);
        if (last) break;
        await pause(POLL_MS);
      }
      await work;
      return states;
    },
  };
}

/** A server that is being made may not be there yet. */
function unlessMissing(error: unknown): undefined {
  if ((error as { statusCode?: number }).statusCode !== 404) throw error;
}

function configOf(accounts: Accounts, run: string, instance: string): MigrationConfig {
  const tls = accounts.ca === undefined ? {} : { tls: { ca: '${env:SKYFERRY_TEST_CA}' } };
  return requireConfig({
    name: run,
    source: {
      kind: 'rds-mysql',
      region: accounts.aws.region,
      instance,
      user: accounts.aws.user,
      password: '${env:SOURCE_PASSWORD}',
      ...tls,
    },
    target: {
      kind: 'azure-mysql-flexible',
      subscription: accounts.azure.subscription,
      resourceGroup: accounts.azure.resourceGroup,
      server: run,
      user: 'ferryadmin',
      password: '${env:TARGET_PASSWORD}',
      ...tls,
      create: {
        location: accounts.azure.location,
        version: '8.4',
        storageGb: 20,
        network: { access: 'public' },
      },
      sku: { load: 'Standard_B2s', run: 'Standard_B1ms' },
      firewall: { worker: accounts.workerAddress },
      // Static: it takes a restart.
      parameters: { innodb_ft_min_token_size: '2' },
    },
    schemas: [accounts.aws.schema],
  });
}

/** Resolves when it is available; says which states it went through. */
export async function createInstance(scene: Scene): Promise<string[]> {
  const { accounts, instance, rds } = scene;
  const { aws } = accounts;
  const { CreateDBInstanceCommand } = await import('@aws-sdk/client-rds');
  await rds.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: instance,
      DBInstanceClass: 'db.t4g.micro',
      Engine: 'mysql',
      EngineVersion: '8.4',
      AllocatedStorage: 20,
      StorageType: 'gp3',
      MasterUsername: aws.user,
      MasterUserPassword: aws.password,
      BackupRetentionPeriod: 1,
      PubliclyAccessible: true,
      ...(aws.securityGroup !== null && { VpcSecurityGroupIds: [aws.securityGroup] }),
    }),
  );
  const api = new RdsApi(rds);
  const status = async () => (await api.instance(instance, scene.signal))?.DBInstanceStatus;
  const available = async () => {
    while ((await status()) !== 'available') await pause(POLL_MS);
  };
  const states = await scene.statesDuring(available(), status);
  await fill(scene, (await api.view({ scope: 'instance', id: instance }, scene.signal))?.address);
  return states;
}

/** A table, and an application that may write to it. */
async function fill(scene: Scene, address: Address | null | undefined): Promise<void> {
  if (address === null || address === undefined) throw new Error('the instance has no address');
  const { schema } = scene.accounts.aws;
  await withConnection(await sourceEndpoint(scene.job(), address), {}, async (connection) => {
    await connection.execute(`CREATE DATABASE ${schema}`);
    await connection.execute(`CREATE TABLE ${schema}.note (id int PRIMARY KEY, text varchar(50))`);
    await connection.execute(`CREATE USER app@'%' IDENTIFIED BY 'Horse-7-${scene.run}'`);
    await connection.execute(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.* TO app@'%'`);
  });
}

/** Everything that this run made and that is still there; each is tried, and what stays is named. */
export async function clearUp(scene: Scene): Promise<void> {
  const { accounts, run, administrator, rds } = scene;
  const { subscription, resourceGroup, zone } = accounts.azure;
  const { DeleteDBInstanceCommand, DeleteDBParameterGroupCommand } =
    await import('@aws-sdk/client-rds');
  const mysql = await administrator.azure.mysql(subscription);
  const dns = await administrator.azure.dns(subscription);
  const group = (name: string) =>
    rds.send(new DeleteDBParameterGroupCommand({ DBParameterGroupName: name }));
  const tasks: [what: string, remove: () => Promise<unknown>][] = [
    [`server ${run}`, () => mysql.servers.beginDeleteAndWait(resourceGroup, run)],
    [`record ${run}.${zone}`, () => dns.recordSets.delete(resourceGroup, zone, run, 'CNAME')],
    [`parameter group ${run}`, () => group(run)],
  ];
  if (accounts.aws.instance === null) {
    tasks.push(
      [
        `instance ${scene.instance}`,
        async () => {
          const input = { DBInstanceIdentifier: scene.instance, SkipFinalSnapshot: true };
          await rds.send(new DeleteDBInstanceCommand(input));
          const api = new RdsApi(rds);
          while ((await api.instance(scene.instance, scene.signal)) !== null) await pause(POLL_MS);
        },
      ],
      [`parameter group skyferry-${scene.instance}`, () => group(`skyferry-${scene.instance}`)],
    );
  }
  const left: string[] = [];
  for (const [what, remove] of tasks) {
    await remove().catch((error: unknown) => {
      const { name = '', statusCode } = error as { name?: string; statusCode?: number };
      if (statusCode !== 404 && !name.includes('NotFound')) left.push(`${what}: ${String(error)}`);
    });
  }
  await accounts.close();
  if (left.length > 0) throw new Error(`remove these yourself:\n${left.join('\n')}`);
}
