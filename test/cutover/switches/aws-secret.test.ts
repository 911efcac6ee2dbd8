import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { createAwsSecretSwitch } from '../../../src/cutover/switches/aws-secret.ts';
import { sandboxUsers } from '../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';

const signal = new AbortController().signal;
const region = 'eu-central-1';
const PASSWORD = 'Zx-9"é\\u00e9';
const text = `{ "username":"app",\n  "password": ${JSON.stringify(PASSWORD)}, "nested": {"host": "old.example", "a": [1, "}"]},
  "host" : "old.example" , "port":"3306", "pi": 3.10 }`;
let clouds: TestClouds;
let worker: () => Promise<SecretsManagerClient>;
let administrator: SecretsManagerClient;
let name: string;

beforeAll(async () => {
  clouds = await startClouds();
  worker = () => createAwsClients({ env: clouds.env, ca: clouds.ca }).secrets(region);
  const { accessKeyId, secretAccessKey } = sandboxUsers.administrator;
  const env = {
    ...clouds.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  administrator = await createAwsClients({ env, ca: clouds.ca }).secrets(region);
});
afterAll(async () => await clouds.stop());

const create = async (content: { SecretString: string } | { SecretBinary: Buffer }) => {
  name = `shop/app-${randomUUID()}`;
  await administrator.send(new CreateSecretCommand({ Name: name, ...content }));
};
const make = (further: { port?: number; to?: string } = {}) =>
  createAwsSecretSwitch({
    consumer: 'app',
    migration: 'shop',
    secret: name,
    from: 'old.example',
    to: further.to ?? 'new.example',
    port: further.port,
    client: worker,
  });
const read = async () =>
  (await administrator.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
const put = async (SecretString: string) =>
  await administrator.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
const versions = async () =>
  (await administrator.send(new DescribeSecretCommand({ SecretId: name }))).VersionIdsToStages ??
  {};
const acts = ['precondition', 'do', 'undo', 'probe'] as const;

describe('the switch by AWS secret', () => {
  beforeEach(async () => await create({ SecretString: text }));

  it('changes host and port alone, every other byte kept, and undoes it; each may be repeated', async () => {
    const app = make({ port: 3307 });
    await app.precondition(signal);
    await expect(app.probe(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await app.do(signal);
    await app.do(signal);
    const expected = text
      .replace('"host" : "old.example"', '"host" : "new.example"')
      .replace('"3306"', '"3307"');
    expect(await read()).toBe(expected);
    await app.probe(signal);
    await app.precondition(signal);
    await app.undo(signal);
    await app.undo(signal);
    expect(await read()).toBe(text);
    await app.do(signal);
    expect(await read()).toBe(expected);
    expect(Object.keys(await versions())).toHaveLength(2);
  });

  it('leaves what somebody else has changed', async () => {
    const changed = text.replaceAll('old.example', 'third.example');
    await put(changed);
    for (const act of acts) {
      await expect(make()[act](signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    }
    expect(await read()).toBe(changed);
  });

  it('does not undo what is not its own, though it names the same host', async () => {
    await make().do(signal);
    const theirs = (await read())?.replace('app', 'theirs') ?? '';
    await put(theirs);
    await expect(make().undo(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(await read()).toBe(theirs);
  });

  it('is refused by the service when the secret changes between reading and moving the stage', async () => {
    const theirs = text.replace('app', 'theirs');
    const client = await worker();
    const racing = createAwsSecretSwitch({
      consumer: 'app',
      migration: 'shop',
      secret: name,
      from: 'old.example',
      to: 'new.example',
      port: undefined,
      client: async () => {
        const sender = Object.create(client) as SecretsManagerClient;
        sender.send = (async (command: PutSecretValueCommand) => {
          const result = await client.send(command);
          if (command.constructor.name === 'PutSecretValueCommand') await put(theirs);
          return result;
        }) as typeof client.send;
        return sender;
      },
    });
    await expect(racing.do(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(await read()).toBe(theirs);
    await make().do(signal);
    expect(await read()).toContain('theirs');
  });

  it.each(['PutSecretValue', 'UpdateSecretVersionStage'])(
    'goes on when the answer to %s is lost, and after throttling: one version, one switch',
    async (operation) => {
      const match = { service: 'secretsmanager', operation };
      await clouds.faults([
        { match, kind: 'throttle' },
        { match, kind: 'drop-after' },
      ]);
      await make().do(signal);
      await make().probe(signal);
      expect(Object.keys(await versions())).toHaveLength(2);
    },
  );

  it('sits out a service that is away for longer than the SDK tries', async () => {
    await clouds.faults([
      {
        match: { service: 'secretsmanager', operation: 'UpdateSecretVersionStage' },
        kind: 'server-error',
        times: 4,
      },
    ]);
    await make().do(signal);
    expect(await read()).toContain('"host" : "new.example"');
  });

  it('forgets nothing when the control plane is killed between writing and switching', async () => {
    const match = { service: 'secretsmanager', operation: 'UpdateSecretVersionStage' };
    await clouds.faults([{ match, kind: 'refuse', code: 'EncryptionFailure' }]);
    await expect(make().do(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(await read()).toBe(text);
    await clouds.kill();
    await clouds.restart();
    await make().do(signal);
    await make().probe(signal);
    expect(Object.keys(await versions())).toHaveLength(2);
  });

  it('refuses rotation, what is no JSON object, no host, and a port that is not there', async () => {
    const refused = async (further: { port?: number } = {}) =>
      await expect(make(further).precondition(signal)).rejects.toMatchObject({
        code: 'SWITCH_FAILED',
      });
    for (const content of [
      'not json',
      '["old.example"]',
      '{"url":"old.example"}',
      '{"host":"old.example","host":"old.example"}',
    ]) {
      await create({ SecretString: content });
      await refused();
    }
    await create({ SecretBinary: Buffer.from(text) });
    await refused();
    await create({ SecretString: '{"host":"old.example"}' });
    await refused({ port: 3307 });
    name = 'absent';
    await refused();
    await create({ SecretString: text });
    await administrator.send(
      new RotateSecretCommand({
        SecretId: name,
        RotationLambdaARN: 'arn:aws:lambda:eu-central-1:123456789012:function:rotate',
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: false,
      }),
    );
    for (const act of acts) {
      await expect(make()[act](signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    }
    expect(await read()).toBe(text);
  });

  it('repeats no value of the secret in what it throws', async () => {
    const secret = 'hunter2hunter2';
    await create({ SecretString: `{"host":"third.example","password":"${secret}"}` });
    for (const act of acts) {
      const app = make();
      const error = await app[act](signal).catch((reason: unknown) => reason);
      expect(inspect(error, { depth: 5 })).not.toMatch(/hunter2|third/);
    }
    await create({ SecretString: `{"host":"old.example","password":"${secret}"}` });
    const match = { service: 'secretsmanager', operation: 'PutSecretValue' };
    await clouds.faults([{ match, kind: 'conflict', times: 3 }]);
    const error = await make()
      .do(signal)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SWITCH_FAILED' });
    expect(inspect(error, { depth: 5 })).not.toContain(secret);
  });
});
