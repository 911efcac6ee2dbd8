import type { AwsClients } from '../clouds/aws/clients.ts';
import type { AzureClients } from '../clouds/azure/clients.ts';
import { resolveEndpoint } from '../config/endpoints.ts';
import type { MigrationConfig } from '../config/schema.ts';
import type { SecretResolver } from '../config/secrets.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Address, Endpoint } from '../mysql/endpoint.ts';
import type { SourceFacts } from './source-facts.ts';
import { readSourceFacts } from './source-facts.ts';

/** What looks at clouds and changes them works with. */
export interface CloudsJob {
  readonly config: MigrationConfig;
  readonly aws: AwsClients;
  readonly azure: AzureClients;
  readonly secrets: SecretResolver;
  readonly now: () => Date;
}

export async function sourceEndpoint(
  { config, secrets }: CloudsJob,
  address: Address,
): Promise<Endpoint> {
  return await resolveEndpoint({ ...config.source, ...address }, secrets);
}

export async function targetEndpoint(
  { config, secrets }: CloudsJob,
  address: Address,
): Promise<Endpoint> {
  return await resolveEndpoint({ ...config.target, ...address }, secrets);
}

export async function lookAtSource(
  job: CloudsJob,
  address: Address,
  signal: AbortSignal,
): Promise<SourceFacts> {
  return await withConnection(await sourceEndpoint(job, address), { signal }, readSourceFacts);
}
