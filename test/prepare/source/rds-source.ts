import type { CreateDBInstanceMessage, RDSClient } from '@aws-sdk/client-rds';
import { CreateDBInstanceCommand } from '@aws-sdk/client-rds';
import { setTimeout as pause } from 'node:timers/promises';
import type { AwsClients } from '../../../src/clouds/aws/clients.ts';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { RdsApi } from '../../../src/clouds/aws/rds.ts';
import { requireConfig } from '../../../src/config/parse.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { BegunAct, CompletedAct, Survey } from '../../../src/prepare/act.ts';
import { sourceAct } from '../../../src/prepare/source/acts.ts';
import type { SourceInput } from '../../../src/prepare/source/source.ts';
import { surveySource } from '../../../src/prepare/source/survey.ts';
import { sandboxUsers } from '../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../clouds.ts';

export const REGION = 'eu-central-1';
const PASSWORD = 'Correct-Horse-9';
export const signal = new AbortController().signal;

/** Skyferry's own key, with no more rights than are documented, unless another is given. */
export function clientsOf(
  clouds: TestClouds,
  key: { accessKeyId: string; secretAccessKey: string } = sandboxUsers.skyferry,
): AwsClients {
  return createAwsClients({
    env: {
      ...clouds.env,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    },
    ca: clouds.ca,
  });
}

export function administratorOf(clouds: TestClouds): Promise<RDSClient> {
  return clientsOf(clouds, sandboxUsers.administrator).rds(REGION);
}

/** An instance as somebody had it before Skyferry came; resolves when it is available. */
export async function createInstance(
  clouds: TestClouds,
  id: string,
  others: Partial<CreateDBInstanceMessage> = {},
): Promise<void> {
  const client = await administratorOf(clouds);
  await client.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: id,
      DBInstanceClass: 'db.m6g.large',
      Engine: 'mysql',
      EngineVersion: '8.0.42',
      ...(others.DBClusterIdentifier === undefined && {
        MasterUsername: 'admin',
        MasterUserPassword: PASSWORD,
        AllocatedStorage: 100,
      }),
      ...others,
    }),
  );
  await untilAvailable(clouds, id);
}

export async function untilAvailable(clouds: TestClouds, id: string): Promise<void> {
  const api = new RdsApi(await administratorOf(clouds));
  for (;;) {
    const instance = await api.instance(id, signal);
    if (instance?.DBInstanceStatus === 'available') return;
    if (instance?.DBInstanceStatus === 'failed') throw new Error(`${id} failed`);
    await pause(50);
  }
}

/** What the survey and the acts of a source are given. */
export function inputFor(
  clouds: TestClouds,
  source: Record<string, unknown>,
  others: Record<string, unknown> = {},
): SourceInput {
  return {
    config: requireConfig({
      name: 'orders-move',
      source: {
        kind: 'rds-mysql',
        region: REGION,
        user: 'admin',
        password: '${env:PASSWORD}',
        ...source,
      },
      target: { host: 'target.example', user: 'u', password: '${env:P}' },
      schemas: ['shop'],
      ...others,
    }),
    clients: clientsOf(clouds),
    endpoint: async ({ host, port }) => ({
      host,
      port,
      user: 'admin',
      password: PASSWORD,
      tls: { mode: 'verify-identity', ca: clouds.ca },
    }),
    pollMs: 50,
  };
}

export async function perform(
  name: string,
  input: SourceInput,
): Promise<{ begun: BegunAct; completed: CompletedAct }> {
  const act = sourceAct(name, input);
  const begun = await act.begin(signal);
  const completed = await act.complete(begun, { signal, onProgress: () => {} });
  return { begun, completed };
}

/** All that is planned, one after the other. */
export async function prepare(input: SourceInput): Promise<Survey> {
  const survey = await surveySource(input, { signal });
  for (const { name } of survey.acts) await perform(name, input);
  return survey;
}

/** By a login of one's own, over TLS with the vendor's host name. */
export async function globals(
  input: SourceInput,
  address: Survey['address'],
  names: readonly string[],
): Promise<string[]> {
  if (address === null) throw new Error('no address');
  return await withConnection(await input.endpoint(address), {}, async (connection) => {
    const list = names.map((name) => `@@GLOBAL.${name} AS ${name}`).join(', ');
    const [row = {}] = await connection.query(`SELECT ${list}`);
    return names.map((name) => String(row[name]));
  });
}

/** How often an operation was asked for, whatever came of it. */
export async function count(clouds: TestClouds, operation: string): Promise<number> {
  const requests = await clouds.requests();
  return requests.filter((request) => request.operation === operation).length;
}
