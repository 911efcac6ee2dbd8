import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { RDSClient } from '@aws-sdk/client-rds';
import type { Route53Client } from '@aws-sdk/client-route-53';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askAws } from './errors.ts';

/** The SDKs' clients, each loaded and made when it is first asked for, one for each region. */
export interface AwsClients {
  rds(region: string): Promise<RDSClient>;
  cloudwatch(region: string): Promise<CloudWatchClient>;
  secrets(region: string): Promise<SecretsManagerClient>;
  route53(): Promise<Route53Client>;
  /** A login of IAM database authentication, good for 15 minutes. It is made here: no call goes out. */
  databaseToken(login: DatabaseLogin): Promise<string>;
}

export interface DatabaseLogin {
  readonly region: string;
  /** The instance's own name, never an alias: it is part of what is signed. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

export interface AwsOptions {
  /** AWS_… variables: credentials and the endpoints of services. What they do not say the SDK finds. */
  readonly env: NodeJS.ProcessEnv;
  /** PEM; instead of the system's authorities. */
  readonly ca?: string;
}

/** Route 53 is one for the world; its client is signed for here. */
const ROUTE_53_REGION = 'us-east-1';
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

export function createAwsClients({ env, ca }: AwsOptions): AwsClients {
  // The packages are pinned to versions that run here; what they warn of is later ones.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const credentials = staticCredentials(env);
  const settings = (service: string, region: string) => {
    const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env['AWS_ENDPOINT_URL'];
    return {
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        ...(ca !== undefined && { httpsAgent: { ca } }),
      },
    };
  };
  const rds = once(async (region: string) => {
    const { RDSClient } = await import('@aws-sdk/client-rds');
    return new RDSClient(settings('RDS', region));
  });
  const cloudwatch = once(async (region: string) => {
    const { CloudWatchClient } = await import('@aws-sdk/client-cloudwatch');
    return new CloudWatchClient(settings('CLOUDWATCH', region));
  });
  const secrets = once(async (region: string) => {
    const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    return new SecretsManagerClient(settings('SECRETS_MANAGER', region));
  });
  const route53 = once(async (region: string) => {
    const { Route53Client } = await import('@aws-sdk/client-route-53');
    return new Route53Client(settings('ROUTE_53', region));
  });
  return {
    rds,
    cloudwatch,
    secrets,
    route53: () => route53(ROUTE_53_REGION),
    databaseToken: async ({ region, host, port, user }) => {
      const { Signer } = await import('@aws-sdk/rds-signer');
      const signer = new Signer({
        region,
        hostname: host,
        port,
        username: user,
        ...(credentials !== undefined && { credentials }),
      });
      // No call, but credentials may have to be fetched for it.
      const { signal } = new AbortController();
      return await askAws(`making a database login for ${user}`, signal, () =>
        signer.getAuthToken(),
      );
    },
  };
}

/** Keys that stand in the environment; a profile, a role or an instance's own is the SDK's to find. */
function staticCredentials(env: NodeJS.ProcessEnv) {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'];
  if (env['AWS_PROFILE'] !== undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function once<T>(make: (region: string) => Promise<T>): (region: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (region) => {
    const known = made.get(region) ?? make(region);
    made.set(region, known);
    return known;
  };
}
