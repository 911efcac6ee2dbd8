/** Whose accounts the suite runs on, all of it by environment variables. */
export interface Settings {
  readonly aws: {
    readonly region: string;
    /** Null: one is created, prepared and removed. */
    readonly instance: string | null;
    /** What would be moved. */
    readonly schema: string;
    /** Lets this machine in to the instance that is created; the sandbox has none. */
    readonly securityGroup: string | null;
    readonly user: string;
    readonly password: string;
  };
  readonly azure: {
    readonly subscription: string;
    readonly resourceGroup: string;
    readonly location: string;
    /** A public zone in the resource group, delegated, or known to SKYFERRY_DNS_SERVERS. */
    readonly zone: string;
  };
  /** As Azure's firewall sees this machine. */
  readonly workerAddress: string;
  /** Skyferry's own: with the rights that docs/aws-to-azure.md grants, and no more. */
  readonly env: NodeJS.ProcessEnv;
  /** Whoever sets the scene, tries what is refused, and clears up. */
  readonly administrator: NodeJS.ProcessEnv;
}

/** `--fakes`: against the sandbox's clouds, which proves the suite itself. */
export const onFakes = process.env['SKYFERRY_TEST_CLOUD'] === 'fakes';

/** On an instance that is created. */
export const OWN_SCHEMA = 'skyferry_test';

export const ACCEPTED = 'SKYFERRY_TEST_ACCEPT_COSTS';

const required: Readonly<Record<string, string>> = {
  [ACCEPTED]: 'yes, once you have read what the suite creates and costs',
  AWS_REGION: 'e.g. eu-central-1',
  AWS_ACCESS_KEY_ID: 'of a user with the policy of docs/aws-to-azure.md',
  AWS_SECRET_ACCESS_KEY: 'of the same',
  SKYFERRY_TEST_ADMIN_AWS_ACCESS_KEY_ID: 'of an administrator of RDS',
  SKYFERRY_TEST_ADMIN_AWS_SECRET_ACCESS_KEY: 'of the same',
  SKYFERRY_TEST_RDS_USER: 'administrator of the RDS instance',
  SKYFERRY_TEST_RDS_PASSWORD: 'its password, 12 or more letters and digits',
  AZURE_TENANT_ID: 'of the service principals',
  AZURE_CLIENT_ID: 'of a service principal with the role of docs/aws-to-azure.md',
  AZURE_CLIENT_SECRET: 'of the same',
  SKYFERRY_TEST_ADMIN_AZURE_CLIENT_ID: 'of a service principal that is Contributor there',
  SKYFERRY_TEST_ADMIN_AZURE_CLIENT_SECRET: 'of the same',
  SKYFERRY_TEST_AZURE_SUBSCRIPTION: 'id of the subscription',
  SKYFERRY_TEST_AZURE_RESOURCE_GROUP: 'an existing resource group',
  SKYFERRY_TEST_AZURE_LOCATION: 'e.g. germanywestcentral',
  SKYFERRY_TEST_AZURE_ZONE: 'an existing public DNS zone in that resource group',
  SKYFERRY_TEST_WORKER_ADDRESS: 'public IPv4 address of this machine',
};

const INSTANCE = 'SKYFERRY_TEST_RDS_INSTANCE';
const CREATE = 'SKYFERRY_TEST_RDS_CREATE';
const SCHEMA = 'SKYFERRY_TEST_RDS_SCHEMA';
const SECURITY_GROUP = 'SKYFERRY_TEST_RDS_SECURITY_GROUP';

/** Throws with everything that is missing, at once: nothing is skipped. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const value = (name: string): string => env[name]?.trim() ?? '';
  const missing = Object.entries(required)
    .filter(([name]) => value(name) === '')
    .map(([name, what]) => `${name}: ${what}`);
  if (value(INSTANCE) === '' && value(CREATE) !== 'yes') {
    missing.push(`${INSTANCE}: a small RDS instance that is only looked at; or ${CREATE}=yes`);
  }
  if (value(INSTANCE) !== '' && value(SCHEMA) === '') {
    missing.push(`${SCHEMA}: a schema on that instance`);
  }
  if (value(CREATE) === 'yes' && value(SECURITY_GROUP) === '') {
    missing.push(`${SECURITY_GROUP}: id of one that lets this machine in to port 3306`);
  }
  if (missing.length > 0) {
    throw new Error(
      `These variables are missing:\n${missing.map((line) => `  ${line}`).join('\n')}\nWithout accounts: npm run test:cloud -- --fakes`,
    );
  }
  if (value(ACCEPTED) !== 'yes') throw new Error(`${ACCEPTED} must be yes`);
  return {
    aws: {
      region: value('AWS_REGION'),
      instance: value(INSTANCE) === '' ? null : value(INSTANCE),
      schema: value(INSTANCE) === '' ? OWN_SCHEMA : value(SCHEMA),
      securityGroup: value(SECURITY_GROUP) === '' ? null : value(SECURITY_GROUP),
      user: value('SKYFERRY_TEST_RDS_USER'),
      password: value('SKYFERRY_TEST_RDS_PASSWORD'),
    },
    azure: {
      subscription: value('SKYFERRY_TEST_AZURE_SUBSCRIPTION'),
      resourceGroup: value('SKYFERRY_TEST_AZURE_RESOURCE_GROUP'),
      location: value('SKYFERRY_TEST_AZURE_LOCATION'),
      zone: value('SKYFERRY_TEST_AZURE_ZONE'),
    },
    workerAddress: value('SKYFERRY_TEST_WORKER_ADDRESS'),
    env,
    administrator: {
      ...env,
      AWS_ACCESS_KEY_ID: value('SKYFERRY_TEST_ADMIN_AWS_ACCESS_KEY_ID'),
      AWS_SECRET_ACCESS_KEY: value('SKYFERRY_TEST_ADMIN_AWS_SECRET_ACCESS_KEY'),
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AZURE_CLIENT_ID: value('SKYFERRY_TEST_ADMIN_AZURE_CLIENT_ID'),
      AZURE_CLIENT_SECRET: value('SKYFERRY_TEST_ADMIN_AZURE_CLIENT_SECRET'),
    },
  };
}

/** What a person should know before it begins. */
export function announcement({ aws, azure }: Settings): string {
  const source =
    aws.instance === null
      ? `creates an RDS instance in ${aws.region} (db.t4g.micro, 20 GB, reachable in public by its TLS port: about 0.02 USD an hour) and its parameter group, reboots it, and removes both`
      : `looks at the RDS instance ${aws.instance} in ${aws.region} and changes nothing of it`;
  return [
    'The suite for real accounts',
    `  ${source}`,
    `  creates and removes a parameter group of RDS that nothing uses`,
    `  creates a flexible server in ${azure.resourceGroup}, ${azure.location} (Standard_B2s, then Standard_B1ms, 20 GB: less than 0.10 USD an hour), restarts it, and removes it`,
    `  creates and removes a CNAME record in ${azure.zone}`,
    '  takes 30 to 60 minutes and should cost less than 0.25 USD',
    '  all names begin with skyferry-test-: if it is killed, remove what is left of them yourself',
    '',
  ].join('\n');
}
