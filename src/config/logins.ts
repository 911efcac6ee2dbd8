import type { Endpoint } from '../mysql/endpoint.ts';
import { resolveAccount, resolveEndpoint, resolveFence } from './endpoints.ts';
import type { LocatedConfig } from './located.ts';
import type { SecretResolver } from './secrets.ts';

/** Every login that a migration uses, secrets resolved: stays inside the function that asked for it. */
export interface Logins {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly fence: Endpoint | undefined;
  /** Each consumer's own account on the target. */
  readonly consumers: readonly { readonly consumer: string; readonly account: Endpoint }[];
}

export async function resolveLogins(
  config: LocatedConfig,
  secrets: SecretResolver,
): Promise<Logins> {
  const [source, target, fence, consumers] = await Promise.all([
    resolveEndpoint(config.source, secrets),
    resolveEndpoint(config.target, secrets),
    resolveFence(config, secrets),
    Promise.all(
      config.cutover.switches.flatMap(({ consumer, account }) =>
        account === undefined
          ? []
          : [
              resolveAccount(config.target, account, secrets).then((login) => ({
                consumer,
                account: login,
              })),
            ],
      ),
    ),
  ]);
  return { source, target, fence, consumers };
}
