import { resolveAccount, resolveFence } from '../config/endpoints.ts';
import type { LocatedConfig } from '../config/located.ts';
import { readCapabilities } from '../cutover/fence/capabilities.ts';
import type { FenceChoice } from '../cutover/fence/choose-fence.ts';
import { chooseFence } from '../cutover/fence/choose-fence.ts';
import { createFence } from '../cutover/fence/create-fence.ts';
import type { Fence, FenceContext, FenceKind } from '../cutover/fence/fence.ts';
import { SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { Grants } from '../mysql/grants.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** The fence that the plan shows. Throws CONFIG_INVALID when the account may raise none. */
export async function openFence(
  deps: ActivityDependencies,
  config: LocatedConfig,
  source: Endpoint,
  signal: AbortSignal,
): Promise<{ fence: Fence; fenceOf: (kind: FenceKind) => Fence; fenceAccount: Endpoint }> {
  const account = await resolveFence(config, deps.secrets);
  if (account === undefined) throw noFence('source.fence names no account');
  const choice = await decideFence(config, account, signal);
  if (choice.refused !== undefined) throw noFence(`${choice.refused}: ${choice.fix}`);
  const context: FenceContext = {
    ...plainContext(deps, config, source, account),
    applicationAccounts: await Promise.all(
      config.cutover.applicationAccounts.map(async ({ user, host, password }) => ({
        user,
        host,
        login:
          password === undefined
            ? null
            : await resolveAccount(config.source, { user, password }, deps.secrets),
      })),
    ),
  };
  const fenceOf = (kind: FenceKind) => createFence(kind, context);
  return { fence: fenceOf(choice.kind), fenceOf, fenceAccount: account };
}

/** Only to lower what was raised: nothing is needed for it that may be missing by now. */
export function fencesToLower(
  deps: Pick<ActivityDependencies, 'clouds'>,
  config: LocatedConfig,
  source: Endpoint,
  account: Endpoint,
): (kind: FenceKind) => Fence {
  return (kind) => createFence(kind, plainContext(deps, config, source, account));
}

async function decideFence(
  config: LocatedConfig,
  account: Endpoint,
  signal: AbortSignal,
): Promise<FenceChoice> {
  const capabilities = await withConnection(account, { signal }, async (connection) =>
    readCapabilities(connection, await Grants.read(connection), account.user),
  );
  return chooseFence(config, capabilities);
}

function plainContext(
  { clouds }: Pick<ActivityDependencies, 'clouds'>,
  config: LocatedConfig,
  source: Endpoint,
  account: Endpoint,
): FenceContext {
  const { source: server } = config;
  return {
    ...(server.kind === 'rds-mysql' && {
      rds: { instance: server.instance, client: () => clouds.aws.rds(server.region) },
    }),
    account,
    source,
    schemas: config.schemas,
    applicationAccounts: config.cutover.applicationAccounts.map(({ user, host }) => ({
      user,
      host,
      login: null,
    })),
  };
}

function noFence(why: string): SkyferryFailure {
  return new SkyferryFailure('CONFIG_INVALID', why, {
    safe: 'nothing was changed on the source',
    next: 'abort, name an account that may stop writes under source.fence, and start again',
  });
}
