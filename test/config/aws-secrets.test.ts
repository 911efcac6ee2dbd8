import {
  CreateSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AwsClients } from '../../src/clouds/aws/clients.ts';
import { createAwsClients } from '../../src/clouds/aws/clients.ts';
import { createAwsSecrets } from '../../src/clouds/aws/secret-values.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { sandboxUsers } from '../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../clouds.ts';
import { startClouds } from '../clouds.ts';

let clouds: TestClouds;
let aws: AwsClients;
let administrator: SecretsManagerClient;
let arn: string;

beforeAll(async () => {
  clouds = await startClouds();
  aws = createAwsClients({ env: clouds.env, ca: clouds.ca });
  const { accessKeyId, secretAccessKey } = sandboxUsers.administrator;
  const env = {
    ...clouds.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  administrator = await createAwsClients({ env, ca: clouds.ca }).secrets('eu-central-1');
  const json = { Name: 'shop/json', SecretString: '{"password":"p4ss","port":3306,"null":null}' };
  arn = (await administrator.send(new CreateSecretCommand(json))).ARN ?? '';
  const plain = { Name: 'shop/plain', SecretString: 'whole text' };
  await administrator.send(new CreateSecretCommand(plain));
});
afterAll(async () => await clouds.stop());

const resolver = (env: NodeJS.ProcessEnv = clouds.env) =>
  createSecretResolver({ secretsDirectory: undefined, env, aws });
const asked = async () =>
  (await clouds.requests()).filter(({ operation }) => operation === 'GetSecretValue').length;

test('a secret by name or ARN, whole or one member of its JSON', async () => {
  const secrets = resolver();
  expect(await secrets.resolve('${aws-secret:shop/json#password}')).toBe('p4ss');
  expect(await secrets.resolve('${aws-secret:shop/json#port}')).toBe('3306');
  expect(await secrets.resolve(`\${aws-secret:${arn}#password}`)).toBe('p4ss');
  expect(await secrets.resolve('${aws-secret:shop/plain}')).toBe('whole text');
  expect(await resolver({}).resolve(`\${aws-secret:${arn}#password}`)).toBe('p4ss');
});

test('a migration that uses none asks nobody', async () => {
  const before = (await clouds.requests()).length;
  await resolver({ PASSWORD: 'x' }).resolve('${env:PASSWORD}');
  expect((await clouds.requests()).length).toBe(before);
});

test('one call for all that use it at once; a changed secret counts within a minute', async () => {
  let now = 0;
  const read = createAwsSecrets(aws, clouds.env, () => now);
  const before = await asked();
  await Promise.all(['password', 'port', 'password'].map((key) => read('shop/json', key)));
  expect(await asked()).toBe(before + 1);
  await administrator.send(
    new PutSecretValueCommand({ SecretId: 'shop/json', SecretString: '{"password":"new"}' }),
  );
  now = 60_000;
  expect(await read('shop/json', 'password')).toBe('new');
});

test('what is missing is refused by name, without what the secret holds', async () => {
  for (const reference of ['shop/absent', 'shop/json#absent', 'shop/json#null', 'shop/plain#x']) {
    const error = await resolver()
      .resolve(`\${aws-secret:${reference}}`)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SECRET_UNRESOLVED' });
    expect(String(error)).toContain(reference);
    expect(String(error)).not.toMatch(/p4ss|whole text/);
  }
  await expect(resolver({}).resolve('${aws-secret:shop/json}')).rejects.toMatchObject({
    detail: { next: expect.stringContaining('AWS_REGION') as string },
  });
});

test('credentials that AWS does not know are said to be denied; throttling is sat out', async () => {
  const env = { ...clouds.env, AWS_SECRET_ACCESS_KEY: 'wrong' };
  const denied = createSecretResolver({
    secretsDirectory: undefined,
    env,
    aws: createAwsClients({ env, ca: clouds.ca }),
  });
  await expect(denied.resolve('${aws-secret:shop/plain}')).rejects.toMatchObject({
    code: 'CLOUD_DENIED',
  });
  await clouds.faults([{ match: { operation: 'GetSecretValue' }, kind: 'throttle' }]);
  expect(await resolver().resolve('${aws-secret:shop/plain}')).toBe('whole text');
});
