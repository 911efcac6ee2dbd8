import { z } from 'zod';

/**
 * What the user writes: `skyferry.yaml`, and as JSON the input of `migrateDatabase`. Secrets stay
 * references (`${env:NAME}`, `${file:path}`, `${aws-secret:name#key}`) from here to the activity that uses them.
 */
const secret = z
  .string()
  .regex(/^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+|aws-secret:[^#}]+(#[^}]+)?)\}$/, {
    error:
      'must be a reference, ${env:NAME}, ${file:path} or ${aws-secret:name#key}: secrets are never written here',
  })
  .describe(
    'A reference, ${env:NAME}, ${file:path} or ${aws-secret:name#key}; resolved on the worker only when it is used',
  )
  .meta({ secret: true });

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, { error: 'must be a duration such as 500ms, 5s, 10m, 4h, 2d' })
  .describe('A duration: 500ms, 5s, 10m, 4h, 2d');

function durationUpTo(limit: string) {
  return duration.refine((text) => durationMs(text) <= durationMs(limit), {
    error: `must be at most ${limit}`,
  });
}

const tls = z
  .strictObject({
    mode: z.enum(['verify-identity', 'disabled']).default('verify-identity'),
    ca: secret.optional().describe('PEM of the authority; without it the system authorities count'),
  })
  .prefault({});

const account = z.strictObject({ user: z.string().min(1).max(32), password: secret });

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

const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as us-east-1' }); // prettier-ignore
const rdsName = z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]{0,62}$/, {
  error: 'must be an identifier of RDS: letters, digits and hyphens, beginning with a letter',
});

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

const source = z.discriminatedUnion('kind', [
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

const target = z.discriminatedUnion('kind', [
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

const window = z
  .strictObject({
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .default(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']),
    from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 02:00' }),
    to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 04:30' }),
    timeZone: z.string().min(1).describe('IANA name, e.g. Asia/Seoul'),
  })
  .describe('When the cutover may begin; `to` before `from` means the next day');

const consumer = {
  consumer: z.string().min(1).max(64).describe('The application whose endpoint is switched'),
  account: account
    .optional()
    .describe('Its account: logged in to the target before the fence and after the switch'),
};

/** It goes into the workflow's history, so nothing secret may be in it. */
const endpointText = z
  .string()
  .min(1)
  .refine((text) => !/\/\/[^/\s]*@|:[^/\s@]*@|password\s*=|pwd\s*=/i.test(text), {
    error: 'must be host:port only: credentials never travel',
  });

const hostName = z.string().regex(/^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?)+$/, { error: 'must be a host name' }); // prettier-ignore
const hostPort = z.string().regex(/^[^\s:]+(:\d{1,5})?$/, { error: 'must be host or host:port' });

/** A CNAME record: the application's own name for its database. */
const cname = {
  zone: hostName,
  record: z.string().min(1).describe('Name of the CNAME within the zone'),
  from: hostName.describe('Where it points now'),
  to: hostName.describe('Where it will point'),
  ttl: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('Seconds; lowered to this at least one former TTL before the fence, then put back'),
};

const switchSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...consumer,
    kind: z.literal('file'),
    path: z.string().min(1).describe('A file, below a directory that the worker was started with'),
    from: endpointText.describe('What the file must hold now, e.g. db-old.internal:3306'),
    to: endpointText.describe('What takes its place'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('command'),
    command: z.string().min(1).describe("A name from the worker's own commands file"),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('azure-dns'),
    subscription: z.guid(),
    resourceGroup: z.string().min(1),
    ...cname,
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('azure-private-dns'),
    subscription: z.guid(),
    resourceGroup: z.string().min(1),
    ...cname,
    resolver: hostPort.optional().describe('A DNS server inside the network, asked as proof'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('route53'),
    zoneId: z.string().regex(/^[A-Z0-9]{1,32}$/, { error: 'must be the id of a hosted zone' }),
    ...cname,
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('rfc2136'),
    server: hostPort.describe('The zone’s primary'),
    ...cname,
    key: z
      .strictObject({
        name: z.string().min(1),
        algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
        secret,
      })
      .optional()
      .describe('TSIG'),
  }),
  z.strictObject({
    ...consumer,
    kind: z.literal('aws-secret'),
    region,
    secret: z.string().min(1).describe('Name or ARN'),
    from: hostName.describe('What `host` in the secret’s JSON must be now'),
    to: hostName,
    port: z.int().min(1).max(65_535).optional().describe('What `port` becomes'),
  }),
]);

const cutover = z
  .strictObject({
    lagThreshold: duration.default('5s'),
    lagSamples: z.int().min(1).max(1000).default(3),
    window: window.optional(),
    approval: z
      .strictObject({
        required: z.boolean().default(true),
        // One timer waits for it, and timers hold no longer.
        expiresAfter: durationUpTo('24d').default('4h').describe('A duration of at most 24d'),
      })
      .prefault({}),
    fence: z
      .enum([
        'auto',
        'super-read-only',
        'account-lock',
        'rds-read-only',
        'account-lock+rds-read-only',
        'aurora-read-only',
      ])
      .default('auto')
      .describe('auto: what the fence account may do; the plan says which'),
    applicationAccounts: z
      .array(
        z.strictObject({
          user: z.string().min(1).max(32),
          host: z.string().min(1).max(255).default('%'),
          password: secret.optional().describe('With it the fence is proved by a refused write'),
        }),
      )
      .default([])
      .describe('Accounts of the source that account-lock locks; without any: all that may write'),
    otherSchemasMayBeFenced: z
      .array(z.string())
      .default([])
      .describe('Schemas outside this migration that a server-wide fence stops too'),
    downtimeBudget: durationUpTo('30m').default('60s').describe('A duration of at most 30m'),
    switches: z.array(switchSchema).default([]),
  })
  .prefault({});

const native = z
  .strictObject({
    account: account
      .optional()
      .describe(
        'On the source, with REPLICATION SLAVE and a password of at most 32 characters; without it one is made there and dropped at the end',
      ),
    workers: z
      .int()
      .min(1)
      .max(1024)
      .default(4)
      .describe('replica_parallel_workers, where it may be set'),
    sourceCaFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'On the target: file with the authority of the source’s certificate. Azure takes the text of source.tls.ca instead',
      ),
  })
  .describe('Only for engine: native');

export const migrationConfigSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
        error: 'must be 1-63 of a-z, 0-9 and -, beginning with a letter or digit',
      })
      .describe('Names the migration; its workflow id is migration/<name>'),
    source,
    target,
    schemas: z.array(z.string().min(1).max(64)).min(1).describe('What moves together'),
    method: z.literal('online').default('online'),
    engine: z
      .enum(['built-in', 'native'])
      .default('built-in')
      .describe(
        'Who applies changes after the full load: Skyferry, or the target’s own replication from the source',
      ),
    native: native.optional(),
    cutover,
    verification: z
      .strictObject({
        chunkRows: z.int().min(100).max(1_000_000).default(20_000),
        parallel: z.int().min(1).max(64).default(2),
      })
      .prefault({}),
    limits: z
      .strictObject({
        copyParallel: z.int().min(1).max(64).default(4),
        chunkRows: z.int().min(100).max(10_000_000).default(50_000),
        indexParallel: z.int().min(1).max(32).default(2),
        applyBatchRows: z.int().min(1).max(1_000_000).default(5_000),
      })
      .prefault({}),
    preflight: z
      .strictObject({
        accept: z
          .array(z.string())
          .default([])
          .describe('Codes of warnings that are known and accepted'),
      })
      .prefault({}),
  })
  .meta({ id: 'skyferry', title: 'Skyferry migration' });

/** Parsed and complete: every default filled in, secrets still references. */
export type MigrationConfig = z.infer<typeof migrationConfigSchema>;
export type SourceConfig = MigrationConfig['source'];
export type TargetConfig = MigrationConfig['target'];
export type RdsSourceConfig = Exclude<SourceConfig, { kind: 'mysql' }>;
export type AzureTargetConfig = Extract<TargetConfig, { kind: 'azure-mysql-flexible' }>;
export type SwitchConfig = MigrationConfig['cutover']['switches'][number];
export type WindowConfig = NonNullable<MigrationConfig['cutover']['window']>;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a validated duration. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
