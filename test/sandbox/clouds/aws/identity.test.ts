import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccessKey, Denied } from '../../../../src/sandbox/clouds/aws/identity.ts';
import { authorize, sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import { skyferryPolicy } from '../../../../src/sandbox/clouds/aws/policy.ts';
import type { CloudRequest } from '../../../../src/sandbox/clouds/service.ts';

let received: CloudRequest;
let endpoint: string;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '/', 'http://sandbox');
    received = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks),
    };
    response.writeHead(400).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** What the unmodified client signs with these keys. */
async function signed(
  credentials: AccessKey,
  service: 'rds' | 'route53' | 'secretsmanager' = 'rds',
): Promise<CloudRequest> {
  const options = { endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 };
  const sent =
    service === 'rds'
      ? new RDSClient(options).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'a b' }))
      : service === 'route53'
        ? new Route53Client(options).send(new GetHostedZoneCommand({ Id: 'Z 1+*' }))
        : new SecretsManagerClient(options).send(new GetSecretValueCommand({ SecretId: 'db' }));
  await sent.catch(() => undefined);
  return received;
}

function codeOf(denied: Denied | null): string | null {
  return denied === null ? null : `${denied.status} ${denied.code}`;
}

test.each(['rds', 'route53', 'secretsmanager'] as const)(
  '%s: a signature of the unmodified SDK is recognised, another secret is not',
  async (service) => {
    const { administrator } = sandboxUsers;
    const good = await signed(administrator, service);
    expect(codeOf(authorize(good, service, 'Anything', '*'))).toBeNull();
    const bad = await signed({ ...administrator, secretAccessKey: 'guessed' }, service);
    expect(codeOf(authorize(bad, service, 'Anything', '*'))).toBe(
      service === 'secretsmanager' ? '400 InvalidSignatureException' : '403 SignatureDoesNotMatch',
    );
  },
);

test('a body changed on the way, an old date, a foreign service and no signature are refused', async () => {
  const request = await signed(sandboxUsers.administrator);
  const changed = { ...request, body: Buffer.from(`${request.body.toString()}&MaxRecords=20`) };
  expect(codeOf(authorize(changed, 'rds', 'X', '*'))).toBe('403 SignatureDoesNotMatch');
  const old = { ...request, headers: { ...request.headers, 'x-amz-date': '20200101T000000Z' } };
  expect(codeOf(authorize(old, 'rds', 'X', '*'))).toBe('400 RequestExpired');
  expect(codeOf(authorize(request, 'route53', 'X', '*'))).toBe('403 SignatureDoesNotMatch');
  const { authorization: _, ...headers } = request.headers;
  expect(codeOf(authorize({ ...request, headers }, 'rds', 'X', '*'))).toBe(
    '403 MissingAuthenticationToken',
  );
  const unknown = await signed({ accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' });
  expect(codeOf(authorize(unknown, 'rds', 'X', '*'))).toBe('403 InvalidClientTokenId');
});

test('the documented policy grants what Skyferry does and nothing else', async () => {
  const request = await signed(sandboxUsers.skyferry);
  const may = (action: string, resource: string) =>
    codeOf(authorize(request, 'rds', action, `arn:aws:rds:eu-west-1:123456789012:${resource}`));
  expect(may('RebootDBInstance', 'db:shop')).toBeNull();
  expect(may('ModifyDBParameterGroup', 'pg:skyferry-shop')).toBeNull();
  expect(may('ModifyDBParameterGroup', 'pg:production')).toBe('403 AccessDenied');
  expect(may('DeleteDBInstance', 'db:shop')).toBe('403 AccessDenied');
});

test('the runbook quotes exactly that policy', async () => {
  const runbook = await readFile('docs/aws-to-azure.md', 'utf8');
  const blocks = [...runbook.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  const policy = blocks.find((text) => text.includes('"2012-10-17"')) ?? 'null';
  expect(JSON.parse(policy)).toEqual(skyferryPolicy);
});
