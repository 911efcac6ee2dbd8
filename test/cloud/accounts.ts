import type { AwsClients } from '../../src/clouds/aws/clients.ts';
import { createAwsClients } from '../../src/clouds/aws/clients.ts';
import type { AzureClients } from '../../src/clouds/azure/clients.ts';
import { createAzureClients } from '../../src/clouds/azure/clients.ts';
import { useNameServers } from '../../src/mysql/name-resolution.ts';
import { sandboxUsers } from '../../src/sandbox/clouds/aws/identity.ts';
import {
  sandboxAdministrator,
  sandboxPrincipal,
} from '../../src/sandbox/clouds/azure/principal.ts';
import { startClouds } from '../clouds.ts';
import type { Settings } from './settings.ts';
import { onFakes, OWN_SCHEMA, readSettings } from './settings.ts';

export interface Clients {
  readonly aws: AwsClients;
  readonly azure: AzureClients;
}

export interface Accounts extends Settings {
  /** PEM; undefined: the vendors' own authorities. */
  readonly ca: string | undefined;
  /** As a new process would have them. */
  clients(of: 'skyferry' | 'administrator'): Clients;
  close(): Promise<void>;
}

/** The user's accounts, or the sandbox's clouds in their place: the tests do not know which. */
export async function openAccounts(): Promise<Accounts> {
  if (!onFakes) {
    useNameServers(process.env['SKYFERRY_DNS_SERVERS']);
    return withClients(readSettings(process.env), undefined, async () => {});
  }
  const clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  const accounts = withClients(
    fakeSettings(clouds.env),
    clouds.ca,
    async () => await clouds.stop(),
  );
  const { subscription, resourceGroup, zone } = accounts.azure;
  const dns = await accounts.clients('administrator').azure.dns(subscription);
  await dns.zones.createOrUpdate(resourceGroup, zone, { location: 'global' });
  return accounts;
}

function withClients(
  settings: Settings,
  ca: string | undefined,
  close: () => Promise<void>,
): Accounts {
  return {
    ...settings,
    ca,
    close,
    clients: (of) => {
      const options = {
        env: of === 'skyferry' ? settings.env : settings.administrator,
        ...(ca !== undefined && { ca }),
      };
      return { aws: createAwsClients(options), azure: createAzureClients(options) };
    },
  };
}

function fakeSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    aws: {
      region: env['AWS_REGION'] ?? '',
      instance: null,
      schema: OWN_SCHEMA,
      securityGroup: null,
      user: 'admin',
      password: 'Correct-Horse-9',
    },
    azure: {
      subscription: sandboxPrincipal.subscription,
      resourceGroup: 'skyferry-test',
      location: 'germanywestcentral',
      zone: 'test.example',
    },
    workerAddress: '203.0.113.7',
    env,
    administrator: {
      ...env,
      AWS_ACCESS_KEY_ID: sandboxUsers.administrator.accessKeyId,
      AWS_SECRET_ACCESS_KEY: sandboxUsers.administrator.secretAccessKey,
      AZURE_CLIENT_ID: sandboxAdministrator.client,
      AZURE_CLIENT_SECRET: sandboxAdministrator.secret,
    },
  };
}
