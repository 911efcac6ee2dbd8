import { MySQLManagementFlexibleServerClient } from '@azure/arm-mysql-flexible';
import { ClientSecretCredential } from '@azure/identity';
import type { Row } from '../../../../src/mysql/connection.ts';
import { withConnection } from '../../../../src/mysql/connection.ts';
import { useNameServers } from '../../../../src/mysql/name-resolution.ts';
import { sandboxPrincipal } from '../../../../src/sandbox/clouds/azure/principal.ts';
import type { TestClouds } from '../../../clouds.ts';

export const group = 'shop';
export const password = 'Orders2Ledger';
export const wanted = {
  location: 'germanywestcentral',
  sku: { name: 'Standard_D2ds_v4', tier: 'GeneralPurpose' },
  version: '8.0.21',
  administratorLogin: 'ferry',
  administratorLoginPassword: password,
  storage: { storageSizeGB: 64 },
  tags: { skyferry: 'orders' },
};

/** The vendor's own client, unmodified. */
export function connect(
  { env, url, ca }: Pick<TestClouds, 'env' | 'url' | 'ca'>,
  {
    client = sandboxPrincipal.client,
    secret = sandboxPrincipal.secret,
  }: { client?: string; secret?: string } = {},
): MySQLManagementFlexibleServerClient {
  const credential = new ClientSecretCredential(sandboxPrincipal.tenant, client, secret, {
    authorityHost: env['AZURE_AUTHORITY_HOST'] ?? '',
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
  });
  return new MySQLManagementFlexibleServerClient(credential, sandboxPrincipal.subscription, {
    endpoint: url,
    tlsOptions: { ca },
  });
}

/** `/subscriptions/…/flexibleServers/<name>` */
export function pathOf(name: string): string {
  return `/subscriptions/${sandboxPrincipal.subscription}/resourceGroups/${group}/providers/Microsoft.DBforMySQL/flexibleServers/${name}`;
}

/** A token as the SDK would get it. */
export async function bearer(clouds: TestClouds): Promise<Record<string, string>> {
  const { body } = await clouds.fetch(`/${sandboxPrincipal.tenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: sandboxPrincipal.client,
      client_secret: sandboxPrincipal.secret,
      scope: `${clouds.url}/.default`,
    }).toString(),
  });
  const { access_token: token } = JSON.parse(body) as { access_token: string };
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

/** As the server's administrator, at the vendor's host name, which the sandbox's name server resolves. */
export function query<R extends Row>(
  { env, ca }: TestClouds,
  name: string,
  sql: string,
): Promise<R[]> {
  useNameServers(env['SKYFERRY_DNS_SERVERS']);
  const endpoint = {
    host: `${name}.mysql.database.azure.com`,
    port: 3306,
    user: wanted.administratorLogin,
    password,
    tls: { mode: 'verify-identity', ca },
  } as const;
  return withConnection(endpoint, {}, (connection) => connection.query<R>(sql));
}
