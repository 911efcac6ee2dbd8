import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { DataMigrationServiceClient } from '@azure/arm-datamigration';
import type { TokenCredential } from '@azure/identity';

export interface DataMigrationClient {
  readonly sdk: DataMigrationServiceClient;
  /** Without a slash at its end. */
  readonly endpoint: string;
}

const PUBLIC_ENDPOINT = 'https://management.azure.com';

export async function createDataMigrationClient(
  credential: TokenCredential,
  subscription: string,
  { endpoint = PUBLIC_ENDPOINT, ca }: { readonly endpoint?: string; readonly ca?: string },
): Promise<DataMigrationClient> {
  const { DataMigrationServiceClient } = await import('@azure/arm-datamigration');
  const sdk = new DataMigrationServiceClient(credential, subscription, {
    baseUri: endpoint,
    ...(ca !== undefined && {
      agentSettings: { http: new HttpAgent(), https: new HttpsAgent({ ca }) },
    }),
    // By itself it says only after half a minute that something failed; whoever asks tries again anyhow.
    noRetryPolicy: true,
  });
  return { sdk, endpoint };
}
