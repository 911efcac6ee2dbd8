import { z } from 'zod';
import { account, region, secret } from './values.ts';

const tls = z
  .strictObject({
    mode: z.enum(['verify-identity', 'disabled']).default('verify-identity'),
    ca: secret.optional().describe('PEM of the authority; without it the system authorities count'),
  })
  .prefault({});

/** Which kind a server is; `mysql` is what it is when nothing else is said. */
const mysqlKind = z.literal('mysql').optional().default('mysql');

const login = { user: z.string().min(1).max(32), password: secret, tls };

const address = {
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(3306),
};

const fenceAccount = {
  fence: account
    .optional()
    .describe(
      'A separate account that may stop writes. super-read-only: SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN; account-lock: CREATE USER, PROCESS, XA_RECOVER_ADMIN, SELECT on mysql, and CONNECTION_ADMIN or EXECUTE on mysql.rds_kill',
    ),
};

/** RDS and CloudWatch answer in lower case, however a name is written. */
const rdsName = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9-]{0,62}$/, {
    error: 'must be an identifier of RDS: letters, digits and hyphens, beginning with a letter',
  })
  .toLowerCase();

/** RDS and Aurora: endpoint, port, version and binlog facts are discovered by the region's API. */
const rdsLogin = {
  region,
  ...login,
  password: secret.optional().describe('Not with authentication: iam'),
  authentication: z
    .enum(['password', 'iam'])
    .default('password')
    .describe('iam: a token of 15 minutes for each login, by the worker’s own AWS credentials'),
  parameterGroup: z
    .string()
    .optional()
    .describe(
      'Name of the custom parameter group that is made when the instance has a default one',
    ),
  ...fenceAccount,
};

export const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: mysqlKind, ...address, ...login, ...fenceAccount }),
  z.strictObject({ kind: z.literal('rds-mysql'), instance: rdsName, ...rdsLogin }),
  z.strictObject({ kind: z.literal('aurora-mysql'), cluster: rdsName, ...rdsLogin }),
]);

const sku = z.string().regex(/^Standard_[BDE]\d+[a-z]*(_v\d+)?$/, {
  error: 'must be a compute size such as Standard_D4ds_v4 (B: burstable, D: general, E: memory)',
});
const ipv4 = z.ipv4({ error: 'must be an IPv4 address' });

const azureCreate = z
  .strictObject({
    location: z.string().min(1).describe('Cannot be changed later'),
    version: z.enum(['5.7', '8.0.21', '8.4']).default('8.0.21'),
    storageGb: z.int().min(20).max(32_768).describe('Can grow later, never shrink'),
    autoGrow: z.boolean().default(true),
    network: z
      .discriminatedUnion('access', [
        z.strictObject({ access: z.literal('public') }),
        z.strictObject({
          access: z.literal('private'),
          subnet: z.string().startsWith('/subscriptions/').describe('Delegated to the servers'),
          privateDnsZone: z.string().startsWith('/subscriptions/'),
        }),
      ])
      .describe('Public or private cannot be changed later'),
    highAvailability: z
      .enum(['disabled', 'same-zone', 'zone-redundant'])
      .default('disabled')
      .describe('Off during the load, on before the fence'),
    availabilityZone: z.enum(['1', '2', '3']).optional(),
    backupRetentionDays: z.int().min(1).max(35).default(7),
    geoRedundantBackup: z.boolean().default(false).describe('Cannot be changed later'),
    tags: z.record(z.string().min(1), z.string()).default({}),
  })
  .describe('Makes the server; without it the server must exist');

export const target = z.discriminatedUnion('kind', [
  z.strictObject({ kind: mysqlKind, ...address, ...login }),
  z.strictObject({
    kind: z.literal('azure-mysql-flexible'),
    subscription: z.guid({ error: 'must be the id of a subscription' }),
    resourceGroup: z.string().min(1).max(90),
    server: z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, {
      error: 'must be 3-63 of a-z, 0-9 and -, not beginning or ending with -',
    }),
    ...login,
    create: azureCreate.optional(),
    sku: z
      .strictObject({ load: sku.optional(), run: sku })
      .optional()
      .describe('Compute while loading, and from before the maintenance window on'),
    iops: z
      .strictObject({
        load: z.int().min(100).max(80_000).optional(),
        run: z.int().min(100).max(80_000),
      }) // prettier-ignore
      .optional(),
    parameters: z
      .record(z.string().regex(/^[a-z_0-9]+$/), z.string())
      .default({})
      .describe('Beyond those that are derived from the source; they win over these'),
    firewall: z
      .strictObject({
        worker: ipv4.optional().describe('Let in for the migration, removed at its end'),
        consumers: z
          .array(
            z.strictObject({
              name: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/),
              from: ipv4,
              to: ipv4,
            }),
          )
          .default([])
          .describe('Kept'),
      })
      .prefault({}),
    manage: z
      .array(z.enum(['parameters', 'firewall', 'sku', 'databases']))
      .default([])
      .describe('What may be changed of a server that existed'),
    hourlyPrices: z
      .record(z.string(), z.number().nonnegative())
      .default({})
      .describe('Your own price of a SKU in USD an hour, instead of the dated table’s'),
  }),
]);
