import { z } from 'zod';

// Written after the public specification of Microsoft.DataMigration, api-versions 2018-07-15-preview and
// 2025-06-30: names, required members and enumerations are its own.

const NEWER = '2025-06-30';
export const API_VERSIONS: readonly string[] = ['2018-07-15-preview', NEWER];
export const NAMESPACE = 'Microsoft.DataMigration';

const tags = z.record(z.string(), z.string());
const settings = z.record(z.string(), z.string());
/** Read-only members may be sent back; they are ignored. */
const ignored = z.unknown().optional();
const resource = { id: ignored, name: ignored, type: ignored, etag: ignored };

const subnetId = z
  .string()
  .regex(
    /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
    "virtualSubnetId is not a subnet's resource id",
  );
const sku = z.strictObject({
  name: z.string().exactOptional(),
  tier: z.string().exactOptional(),
  family: z.string().exactOptional(),
  size: z.string().exactOptional(),
  capacity: z.int().exactOptional(),
});

export const serviceBody = z.strictObject({
  ...resource,
  location: z.string(),
  tags: tags.exactOptional(),
  kind: z.literal('vm').exactOptional(),
  sku: sku.exactOptional(),
  properties: z.strictObject({
    provisioningState: ignored,
    publicKey: z.string().exactOptional(),
    virtualSubnetId: subnetId,
    virtualNicId: z.string().exactOptional(),
  }),
});
export type ServiceBody = z.infer<typeof serviceBody>;

export const serviceUpdateBody = serviceBody
  .partial({ location: true })
  .extend({ properties: serviceBody.shape.properties.partial().exactOptional() });
export type ServiceUpdateBody = z.infer<typeof serviceUpdateBody>;

const connectionInfo = z.strictObject({
  type: z.literal('MySqlConnectionInfo'),
  serverName: z.string(),
  port: z.int(),
  userName: z.string().exactOptional(),
  password: z.string().exactOptional(),
});
const newerConnectionInfo = connectionInfo.extend({
  dataSource: z.string().exactOptional(),
  encryptConnection: z.boolean().exactOptional(),
  authentication: z
    .enum([
      'None',
      'WindowsAuthentication',
      'SqlAuthentication',
      'ActiveDirectoryIntegrated',
      'ActiveDirectoryPassword',
    ])
    .exactOptional(),
  additionalSettings: z.string().exactOptional(),
});
export type ConnectionInfo = z.infer<typeof newerConnectionInfo>;

export const projectBody = z.strictObject({
  ...resource,
  location: z.string(),
  tags: tags.exactOptional(),
  properties: z.strictObject({
    sourcePlatform: z.enum(['SQL', 'MySQL', 'PostgreSql', 'MongoDb', 'Unknown']),
    targetPlatform: z.enum([
      'SQLDB',
      'SQLMI',
      'AzureDbForMySql',
      'AzureDbForPostgreSql',
      'MongoDb',
      'Unknown',
    ]),
    sourceConnectionInfo: connectionInfo.exactOptional(),
    targetConnectionInfo: connectionInfo.exactOptional(),
    databasesInfo: z.array(z.strictObject({ sourceDatabaseName: z.string() })).exactOptional(),
    creationTime: ignored,
    provisioningState: ignored,
  }),
});
export type ProjectBody = z.infer<typeof projectBody>;

const taskCommon = {
  errors: ignored,
  state: ignored,
  commands: ignored,
  output: ignored,
  clientData: settings.exactOptional(),
};

const selectedDatabase = z.strictObject({
  name: z.string().exactOptional(),
  targetDatabaseName: z.string().exactOptional(),
  migrationSetting: settings.exactOptional(),
  sourceSetting: settings.exactOptional(),
  targetSetting: settings.exactOptional(),
  tableMap: settings.exactOptional(),
});

const permissionsGroups = [
  'Default',
  'MigrationFromSqlServerToAzureDB',
  'MigrationFromSqlServerToAzureMI',
  'MigrationFromMySQLToAzureDBForMySQL',
] as const;

/** The same in all versions but for how connections are described. */
function taskProperties<T extends typeof connectionInfo>(connection: T) {
  return z.discriminatedUnion('taskType', [
    z.strictObject({
      ...taskCommon,
      taskType: z.literal('ConnectToSource.MySql'),
      input: z.strictObject({
        sourceConnectionInfo: connection,
        targetPlatform: z.enum(['SqlServer', 'AzureDbForMySQL']).exactOptional(),
        checkPermissionsGroup: z.enum(permissionsGroups).exactOptional(),
        isOfflineMigration: z.boolean().exactOptional(),
      }),
    }),
    z.strictObject({
      ...taskCommon,
      taskType: z.literal('ConnectToTarget.AzureDbForMySql'),
      input: z.strictObject({
        sourceConnectionInfo: connection,
        targetConnectionInfo: connection,
        isOfflineMigration: z.boolean().exactOptional(),
      }),
    }),
    z.strictObject({
      ...taskCommon,
      taskType: z.literal('Migrate.MySql.AzureDbForMySql.Sync'),
      input: z.strictObject({
        sourceConnectionInfo: connection,
        targetConnectionInfo: connection,
        selectedDatabases: z.array(selectedDatabase).min(1),
      }),
    }),
  ]);
}

export const taskTypes = [
  'ConnectToSource.MySql',
  'ConnectToTarget.AzureDbForMySql',
  'Migrate.MySql.AzureDbForMySql.Sync',
] as const;

/** The properties are wrapped: `{taskType, input}` alone is refused. */
const olderTaskBody = z.strictObject({ ...resource, properties: taskProperties(connectionInfo) });
const newerTaskBody = z.strictObject({
  ...resource,
  properties: taskProperties(newerConnectionInfo),
});
export const taskBody = (apiVersion: string): z.ZodType =>
  apiVersion === NEWER ? newerTaskBody : olderTaskBody;
export type TaskBody = z.infer<typeof newerTaskBody>;
export type TaskProperties = TaskBody['properties'];
export type SyncInput = Extract<
  TaskProperties,
  { taskType: 'Migrate.MySql.AzureDbForMySql.Sync' }
>['input'];

/** Not wrapped, unlike a task. */
export const commandBody = z.strictObject({
  commandType: z.literal('Migrate.Sync.Complete.Database'),
  errors: ignored,
  state: ignored,
  output: ignored,
  input: z.strictObject({
    databaseName: z.string(),
    commitTimeStamp: z.iso.datetime({ offset: true }).exactOptional(),
  }),
});
export type CommandBody = z.infer<typeof commandBody>;
