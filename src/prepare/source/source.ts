import type { AwsClients } from '../../clouds/aws/clients.ts';
import { ParameterGroups } from '../../clouds/aws/parameter-groups.ts';
import type { RdsServer, RdsView } from '../../clouds/aws/rds.ts';
import { RdsApi } from '../../clouds/aws/rds.ts';
import type { MigrationConfig, RdsSourceConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Address, Endpoint } from '../../mysql/endpoint.ts';
import type { ServerSettings } from './server-settings.ts';
import { readServerSettings } from './server-settings.ts';

/** What the survey of a source, and each act on it, works with. */
export interface SourceInput {
  readonly config: MigrationConfig;
  readonly clients: AwsClients;
  /** The source's login at that address, secrets resolved. */
  readonly endpoint: (address: Address) => Promise<Endpoint>;
  /** Between two looks at what is under way; default 3 s. */
  readonly pollMs?: number;
}

/** On a parameter group that a migration made: which one. */
export const OWNER_TAG = 'skyferry-migration';

/** The source as its cloud knows it, and its server. */
export interface RdsSource {
  readonly input: SourceInput;
  readonly config: RdsSourceConfig;
  readonly server: RdsServer;
  readonly api: RdsApi;
  readonly groups: ParameterGroups;
}

export function rdsConfig({ source }: MigrationConfig): RdsSourceConfig {
  if (source.kind !== 'mysql') return source;
  throw new SkyferryFailure('CONFIG_INVALID', 'the source is not in RDS');
}

export async function openSource(input: SourceInput): Promise<RdsSource> {
  const config = rdsConfig(input.config);
  const server: RdsServer =
    config.kind === 'rds-mysql'
      ? { scope: 'instance', id: config.instance }
      : { scope: 'cluster', id: config.cluster };
  const client = await input.clients.rds(config.region);
  return {
    input,
    config,
    server,
    api: new RdsApi(client),
    groups: new ParameterGroups(client, server.scope),
  };
}

/** The name that the own parameter group has or would get. */
export function ownGroupName({ config, server }: Pick<RdsSource, 'config' | 'server'>): string {
  return (config.parameterGroup ?? `skyferry-${server.id}`).toLowerCase();
}

export async function requireView(
  { api, server }: RdsSource,
  signal: AbortSignal,
): Promise<RdsView> {
  const view = await api.view(server, signal);
  if (view !== null) return view;
  throw new SkyferryFailure('CLOUD_FAILED', `${server.id} is not there`, {
    next: 'look for it in the RDS console, and at the region in the configuration; then retry',
  });
}

/** Asks the server itself, by SQL. */
export async function askServer(
  { input, server }: RdsSource,
  { address }: Pick<RdsView, 'address'>,
  signal: AbortSignal,
): Promise<ServerSettings> {
  if (address === null) {
    throw new SkyferryFailure('CLOUD_BUSY', `${server.id} has no endpoint yet`, {
      next: 'it is asked again by itself',
    });
  }
  return await withConnection(await input.endpoint(address), { signal }, readServerSettings);
}
