import type { Endpoint, TlsSettings } from '../mysql/endpoint.ts';
import type { MigrationConfig, ServerConfig } from './schema.ts';
import type { SecretResolver } from './secrets.ts';

export type EndpointConfig = Pick<ServerConfig, 'host' | 'port' | 'user' | 'password' | 'tls'>;

/** Resolves the secrets of one login: call it where the connection is opened, and keep the result there. */
export async function resolveEndpoint(
  { host, port, user, password, tls }: EndpointConfig,
  secrets: SecretResolver,
): Promise<Endpoint> {
  return {
    host,
    port,
    user,
    password: await secrets.resolve(password),
    tls: await resolveTls(tls, secrets),
  };
}

/** Another account on the same server, e.g. the fence's or a consumer's. */
export async function resolveAccount(
  server: EndpointConfig,
  account: { user: string; password: string },
  secrets: SecretResolver,
): Promise<Endpoint> {
  return await resolveEndpoint({ ...server, ...account }, secrets);
}

export async function resolveFence(
  config: MigrationConfig,
  secrets: SecretResolver,
): Promise<Endpoint | undefined> {
  const { fence } = config.source;
  return fence === undefined ? undefined : await resolveAccount(config.source, fence, secrets);
}

async function resolveTls(tls: ServerConfig['tls'], secrets: SecretResolver): Promise<TlsSettings> {
  if (tls.mode === 'disabled') return { mode: 'disabled' };
  return tls.ca === undefined
    ? { mode: 'verify-identity' }
    : { mode: 'verify-identity', ca: await secrets.resolve(tls.ca) };
}
