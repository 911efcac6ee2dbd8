import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwsClients } from '../../../../src/clouds/aws/clients.ts';
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

let clouds: TestClouds;
let administrator: SecretsManagerClient;
let worker: SecretsManagerClient;
const SecretId = 'app';
const [first, second] = [randomUUID(), randomUUID()];

beforeAll(async () => {
  clouds = await startClouds();
  const { accessKeyId, secretAccessKey } = sandboxUsers.administrator;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const clientOf = (env: NodeJS.ProcessEnv) =>
    createAwsClients({ env, ca: clouds.ca }).secrets('eu-central-1');
  administrator = await clientOf({ ...clouds.env, ...keys });
  worker = await clientOf(clouds.env);
  await administrator.send(
    new CreateSecretCommand({ Name: SecretId, ClientRequestToken: first, SecretString: 'one' }),
  );
});
afterAll(async () => await clouds.stop());

const put = (SecretString: string, ClientRequestToken: string, stage = 'NEW') =>
  administrator.send(
    new PutSecretValueCommand({
      SecretId,
      ClientRequestToken,
      SecretString,
      VersionStages: [stage],
    }),
  );
const move = (further: { MoveToVersionId?: string; RemoveFromVersionId?: string }) =>
  worker.send(
    new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSCURRENT', ...further }),
  );
const stages = async () =>
  (await worker.send(new DescribeSecretCommand({ SecretId }))).VersionIdsToStages;
const value = async (VersionStage?: string) =>
  (
    await worker.send(
      new GetSecretValueCommand({ SecretId, ...(VersionStage !== undefined && { VersionStage }) }),
    )
  ).SecretString;

describe('the fake Secrets Manager, by the unmodified SDK', () => {
  it('makes one version of one token, and refuses other content for it', async () => {
    await put('two', second);
    await put('two', second);
    await expect(put('other', second)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(await stages()).toEqual({ [first]: ['AWSCURRENT'], [second]: ['NEW'] });
    expect([await value(), await value('NEW')]).toEqual(['one', 'two']);
  });

  it('moves a stage only from where it is', async () => {
    const invalid = { name: 'InvalidParameterException' };
    await expect(move({ MoveToVersionId: second })).rejects.toMatchObject(invalid);
    await expect(
      move({ MoveToVersionId: second, RemoveFromVersionId: second }),
    ).rejects.toMatchObject(invalid);
    await expect(move({ RemoveFromVersionId: first })).rejects.toMatchObject(invalid);
    await move({ MoveToVersionId: second, RemoveFromVersionId: first });
    expect(await stages()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['NEW', 'AWSCURRENT'] });
    expect(await value()).toBe('two');
  });

  it('refuses what it does not know, members that are missing, and signatures of others', async () => {
    const raw = (operation: string, body: object) =>
      clouds.fetch('/', {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `secretsmanager.${operation}`,
        },
        body: JSON.stringify(body),
      });
    expect((await raw('GetSecretValue', { SecretId })).body).toContain('MissingAuthentication');
    expect((await raw('NoSuchThing', {})).body).toContain('UnknownOperation');
    const without = {} as { SecretId: string };
    await expect(administrator.send(new GetSecretValueCommand(without))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    administrator.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace('"Tags"', '"Tabs"');
        return await next(args);
      },
      { step: 'build', name: 'misspell' },
    );
    await expect(
      administrator.send(new TagResourceCommand({ SecretId, Tags: [{ Key: 'a', Value: 'b' }] })),
    ).rejects.toMatchObject({ name: 'SerializationException' });
    administrator.middlewareStack.remove('misspell');
  });

  it('lets the documented policy read and switch secrets, and make none', async () => {
    await expect(worker.send(new CreateSecretCommand({ Name: 'mine' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});
