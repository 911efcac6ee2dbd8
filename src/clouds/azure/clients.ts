import type { DnsManagementClient } from '@azure/arm-dns';
import type { MySQLManagementFlexibleServerClient } from '@azure/arm-mysql-flexible';
import type { PrivateDnsManagementClient } from '@azure/arm-privatedns';
import type { TokenCredential } from '@azure/identity';
import { SkyferryFailure } from '../../failures.ts';
import type { DataMigrationClient } from './data-migration/client.ts';
import { createDataMigrationClient } from './data-migration/client.ts';

/** One client of each kind for a subscription; the SDKs are loaded when the first one is asked for. */
export interface AzureClients {
  mysql(subscription: string): Promise<MySQLManagementFlexibleServerClient>;
  dns(subscription: string): Promise<DnsManagementClient>;
  privateDns(subscription: string): Promise<PrivateDnsManagementClient>;
  dataMigration(subscription: string): Promise<DataMigrationClient>;
}

export interface AzureClientsOptions {
  /**
   * `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` name a service principal; without a
   * secret the machine's own identity or `az login` counts. `SKYFERRY_AZURE_ENDPOINT` and
   * `AZURE_AUTHORITY_HOST` are for clouds other than the public one.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** PEM of the authority that signed the endpoints' certificates; without it the system's count. */
  readonly ca?: string;
}

const PUBLIC_AUTHORITY = 'login.microsoftonline.com';

export function createAzureClients({ env, ca }: AzureClientsOptions): AzureClients {
  const shared = {
    ...(env['SKYFERRY_AZURE_ENDPOINT'] !== undefined && {
      endpoint: env['SKYFERRY_AZURE_ENDPOINT'].replace(/\/$/, ''),
    }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  };
  let credential: Promise<TokenCredential> | undefined;
  const login = () => (credential ??= createCredential({ env, ...(ca !== undefined && { ca }) }));
  return {
    mysql: bySubscription(async (subscription) => {
      const sdk = await import('@azure/arm-mysql-flexible');
      return new sdk.MySQLManagementFlexibleServerClient(await login(), subscription, shared);
    }),
    dns: bySubscription(async (subscription) => {
      const sdk = await import('@azure/arm-dns');
      return new sdk.DnsManagementClient(await login(), subscription, shared);
    }),
    privateDns: bySubscription(async (subscription) => {
      const sdk = await import('@azure/arm-privatedns');
      return new sdk.PrivateDnsManagementClient(await login(), subscription, shared);
    }),
    dataMigration: bySubscription(async (subscription) => {
      return await createDataMigrationClient(await login(), subscription, {
        ...(shared.endpoint !== undefined && { endpoint: shared.endpoint }),
        ...(ca !== undefined && { ca }),
      });
    }),
  };
}

function bySubscription<T>(create: (subscription: string) => Promise<T>) {
  const made = new Map<string, Promise<T>>();
  return async (subscription: string): Promise<T> => {
    const known = made.get(subscription);
    if (known !== undefined) return await known;
    const fresh = create(subscription);
    made.set(subscription, fresh);
    // A credential that was missing may be there the next time.
    fresh.catch(() => made.delete(subscription));
    return await fresh;
  };
}

async function createCredential({ env, ca }: AzureClientsOptions): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  const authorityHost = env['AZURE_AUTHORITY_HOST'];
  const options = {
    ...(authorityHost !== undefined && {
      authorityHost,
      // Only the public cloud's directory knows which authorities there are.
      disableInstanceDiscovery: !authorityHost.includes(PUBLIC_AUTHORITY),
    }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  };
  const secret = env['AZURE_CLIENT_SECRET'];
  if (secret === undefined || secret === '') return new identity.DefaultAzureCredential(options);
  return new identity.ClientSecretCredential(
    required(env, 'AZURE_TENANT_ID'),
    required(env, 'AZURE_CLIENT_ID'),
    secret,
    options,
  );
}

function required(env: AzureClientsOptions['env'], name: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new SkyferryFailure(
    'CLOUD_DENIED',
    `${name} is not set on this worker, though AZURE_CLIENT_SECRET is`,
    { safe: 'nothing was sent to Azure', next: `set ${name} and start the worker again` },
  );
}
