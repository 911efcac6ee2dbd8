import type { Endpoint, TlsSettings } from '../mysql/endpoint.ts';
import type { Address, LocatedConfig } from './located.ts';
import type { MigrationConfig } from './schema.ts';
import type { SecretResolver } from './secrets.ts';

type ServerConfig = MigrationConfig['source' | 'target'];
export type EndpointConfig = Address & Pick<ServerConfig, 'user' | 'password' | 'tls'>;

/** Resolves the secrets of one login: call it where the connection is opened, and keep the result there. */
export async function resolveEndpoint(
  { host, port, user, password, tls }: EndpointConfig,
  secrets: SecretResolver,
): Promise<Endpoint> {
  return {
    host,
    port,
    user,
    password: password === undefined ? '' : await secrets.resolve(password),
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
  config: Pick<LocatedConfig, 'source'>,
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
