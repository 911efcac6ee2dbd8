import { setTimeout as sleep } from 'node:timers/promises';
import { withConnection } from '../../../mysql/connection.ts';
import type { Endpoint } from '../../../mysql/endpoint.ts';
import type { Engine } from '../../../config/schema.ts';
import { createAwsClients } from '../../../clouds/aws/clients.ts';
import { sandboxUsers } from '../../clouds/aws/identity.ts';
import type { RunningClouds } from '../../clouds/launch.ts';
import { superuserOf } from '../../clouds/superuser.ts';
import { applicationPrivileges, grantOn } from '../../servers/accounts.ts';

export const INSTANCE = 'stock-db';
/**
 * Made with the instance where its names are in lower case: that is fixed then. Skyferry's key may change
 * groups of such a name.
 */
const GROUP = 'skyferry-lower-case';
export const ZONE = 'stock.example';
/** The application's own name for its database. */
export const RECORD = 'db';
export const SECRET = 'stock/reports-database';

export interface ScenePasswords {
  readonly master: string;
  readonly migration: string;
  readonly fence: string;
  readonly app: string;
  readonly reports: string;
  readonly replication: string;
}

export interface Scene {
  readonly host: string;
  readonly port: number;
  readonly zoneId: string;
  readonly region: string;
  /** The customer's databases. */
  readonly schemas: readonly string[];
  /** For seeding what a cloud's customer could not make, and for the last look at the end. */
  readonly superuser: Endpoint;
}

export interface SceneOptions {
  readonly clouds: Pick<RunningClouds, 'folder' | 'env'>;
  readonly ca: string;
  readonly passwords: ScenePasswords;
  readonly schemas: readonly string[];
  readonly engine: Engine;
  /** How the instance spells names of schemas and tables. */
  readonly lowerCase: boolean;
  /** Makes them; says in a line what is in them. */
  readonly fill: (superuser: Endpoint) => Promise<string>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What a customer has before the migration: an instance of RDS as it comes, a zone, a secret. */
export async function setScene(options: SceneOptions): Promise<Scene> {
  const { clouds, ca, passwords, signal, say, lowerCase } = options;
  const { administrator } = sandboxUsers;
  const region = clouds.env['AWS_REGION'] ?? '';
  const env = {
    ...clouds.env,
    AWS_ACCESS_KEY_ID: administrator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey,
  };
  const aws = createAwsClients({ env, ca });
  const rds = await aws.rds(region);
  const group = lowerCase ? await createGroup(rds) : null;
  const endpoint = await createInstance(rds, group, passwords.master, signal);
  const parameters = group === null ? 'default parameter group' : 'lower_case_table_names=1';
  say(`RDS instance ${INSTANCE} at ${endpoint.host}: ${parameters}, no GTID`);
  const superuser = await superuserOf({ ...clouds, port: endpoint.port }, `rds-${INSTANCE}`);
  say(await options.fill(superuser));
  await createAccounts(superuser, options);
  const zoneId = await createZone(await aws.route53(), endpoint.host);
  await createSecret(await aws.secrets(region), endpoint, passwords.reports);
  return { ...endpoint, zoneId, region, schemas: options.schemas, superuser };
}

type RdsClient = Awaited<ReturnType<ReturnType<typeof createAwsClients>['rds']>>;

/** Replication between servers that spell names differently finds no tables: Azure's are in lower case. */
async function createGroup(rds: RdsClient): Promise<string> {
  const { CreateDBParameterGroupCommand, ModifyDBParameterGroupCommand } =
    await import('@aws-sdk/client-rds');
  await rds.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: GROUP,
      DBParameterGroupFamily: 'mysql8.0',
      Description: 'names in lower case',
    }),
  );
  await rds.send(
    new ModifyDBParameterGroupCommand({
      DBParameterGroupName: GROUP,
      Parameters: [
        {
          ParameterName: 'lower_case_table_names',
          ParameterValue: '1',
          ApplyMethod: 'pending-reboot',
        },
      ],
    }),
  );
  return GROUP;
}

async function createInstance(
  rds: RdsClient,
  group: string | null,
  password: string,
  signal: AbortSignal,
): Promise<{ host: string; port: number }> {
  const { CreateDBInstanceCommand, DescribeDBInstancesCommand } =
    await import('@aws-sdk/client-rds');
  await rds.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: INSTANCE,
      DBInstanceClass: 'db.m6g.large',
      Engine: 'mysql',
      EngineVersion: '8.0.42',
      AllocatedStorage: 100,
      MasterUsername: 'admin',
      MasterUserPassword: password,
      BackupRetentionPeriod: 7,
      ...(group !== null && { DBParameterGroupName: group }),
    }),
  );
  for (;;) {
    const { DBInstances: [instance] = [] } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: INSTANCE }),
    );
    const { Address: host, Port: port } = instance?.Endpoint ?? {};
    if (instance?.DBInstanceStatus === 'available' && host !== undefined && port !== undefined) {
      return { host, port };
    }
    await sleep(200, undefined, { signal });
  }
}

type NewAccount = [user: string, password: string, grants: string[]];

/** For the target's own replication, instead of letting Skyferry make accounts. */
export const REPLICATION_USER = 'replica';

function replicationAccount({ replication }: ScenePasswords): NewAccount {
  return [REPLICATION_USER, replication, ['GRANT REPLICATION SLAVE ON *.*']];
}

/** As an administrator makes them by the documentation: each with no more than it needs. */
async function createAccounts(
  admin: Endpoint,
  { passwords, schemas, engine }: Pick<SceneOptions, 'passwords' | 'schemas' | 'engine'>,
): Promise<void> {
  const accounts: NewAccount[] = [
    [
      'skyferry',
      passwords.migration,
      [
        ...grantOn(schemas, 'SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES'),
        // SHOW_ROUTINE is nothing that RDS for MySQL lets anybody grant; SELECT shows routines too.
        'GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
        'GRANT EXECUTE ON PROCEDURE mysql.rds_show_configuration',
        'GRANT EXECUTE ON PROCEDURE mysql.rds_set_configuration',
      ],
    ],
    [
      'skyferry_fence',
      passwords.fence,
      [
        'GRANT CREATE USER, PROCESS, XA_RECOVER_ADMIN, REPLICATION CLIENT ON *.*',
        'GRANT SELECT ON mysql.*',
        'GRANT EXECUTE ON PROCEDURE mysql.rds_kill',
      ],
    ],
    ...(engine === 'native' ? [replicationAccount(passwords)] : []),
    ['app', passwords.app, grantOn(schemas, applicationPrivileges)],
    ['reports', passwords.reports, grantOn(schemas, applicationPrivileges)],
  ];
  await withConnection(admin, {}, async (connection) => {
    for (const [user, password, grants] of accounts) {
      await connection.execute(`CREATE USER ?@'%' IDENTIFIED BY ?`, [user, password]);
      for (const grant of grants) await connection.execute(`${grant} TO ?@'%'`, [user]);
    }
  });
}

async function createZone(
  route53: Awaited<ReturnType<ReturnType<typeof createAwsClients>['route53']>>,
  host: string,
): Promise<string> {
  const { CreateHostedZoneCommand, ChangeResourceRecordSetsCommand } =
    await import('@aws-sdk/client-route-53');
  const { HostedZone } = await route53.send(
    new CreateHostedZoneCommand({ Name: ZONE, CallerReference: 'demo' }),
  );
  const zoneId = (HostedZone?.Id ?? '').replace('/hostedzone/', '');
  await route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: {
        Changes: [
          {
            Action: 'CREATE',
            ResourceRecordSet: {
              Name: `${RECORD}.${ZONE}`,
              Type: 'CNAME',
              TTL: 5,
              ResourceRecords: [{ Value: host }],
            },
          },
        ],
      },
    }),
  );
  return zoneId;
}

async function createSecret(
  secrets: Awaited<ReturnType<ReturnType<typeof createAwsClients>['secrets']>>,
  { host, port }: { host: string; port: number },
  password: string,
): Promise<void> {
  const { CreateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  await secrets.send(
    new CreateSecretCommand({
      Name: SECRET,
      SecretString: JSON.stringify({ username: 'reports', password, engine: 'mysql', host, port }),
    }),
  );
}
