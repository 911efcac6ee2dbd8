import { resolveAccount } from '../config/endpoints.ts';
import type { LocatedConfig } from '../config/located.ts';
import type { SwitchConfig } from '../config/schema.ts';
import type { Consumer } from '../cutover/job.ts';
import { createAzureDnsSwitch } from '../cutover/switches/azure-dns.ts';
import { createAzurePrivateDnsSwitch } from '../cutover/switches/azure-private-dns.ts';
import { createAwsSecretSwitch } from '../cutover/switches/aws-secret.ts';
import { createCommandSwitch } from '../cutover/switches/command.ts';
import { createFileSwitch } from '../cutover/switches/file.ts';
import { createRfc2136Switch } from '../cutover/switches/rfc2136.ts';
import { createRoute53Switch } from '../cutover/switches/route53.ts';
import type { Switch } from '../cutover/switches/switch.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** The applications whose endpoints move, in the order of the configuration. */
export async function resolveConsumers(
  deps: ActivityDependencies,
  { cutover, target, name }: LocatedConfig,
): Promise<Consumer[]> {
  return await Promise.all(
    cutover.switches.map(async (config) => ({
      switch: createSwitch(deps, config, name),
      account:
        config.account === undefined
          ? null
          : await resolveAccount(target, config.account, deps.secrets),
    })),
  );
}

function createSwitch(
  { clouds, secrets, switchCommands, switchDirectories }: ActivityDependencies,
  config: SwitchConfig,
  migration: string,
): Switch {
  switch (config.kind) {
    case 'file':
      return createFileSwitch({ ...config, allowedDirectories: switchDirectories });
    case 'command':
      return createCommandSwitch({
        ...config,
        commands: switchCommands,
        environment: { SKYFERRY_MIGRATION: migration },
      });
    case 'azure-dns':
      return createAzureDnsSwitch({ ...config, clients: clouds.azure, dns: clouds.dns });
    case 'azure-private-dns':
      return createAzurePrivateDnsSwitch({ ...config, clients: clouds.azure, dns: clouds.dns });
    case 'route53':
      return createRoute53Switch({ ...config, clients: clouds.aws, dns: clouds.dns });
    case 'rfc2136': {
      const { key } = config;
      return createRfc2136Switch({
        ...config,
        key: async () =>
          key === undefined ? null : { ...key, secret: await secrets.resolve(key.secret) },
        nsupdate: findNsupdate,
      });
    }
    case 'aws-secret':
      return createAwsSecretSwitch({
        ...config,
        migration,
        port: config.port,
        client: async () => await clouds.aws.secrets(config.region),
      });
  }
}

/** What is at hand: nothing is fetched in the middle of a cutover. */
async function findNsupdate(): Promise<readonly string[]> {
  const { resolveNsupdate } = await import('../sandbox/resolver/resolve.ts');
  return (await resolveNsupdate({ fetch: false, progress: () => {} })).command([]);
}
