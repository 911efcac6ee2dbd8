import { z } from 'zod';
import { source, target } from './servers-schema.ts';
import { switchSchema } from './switches-schema.ts';
import { account, duration, durationUpTo, secret } from './values.ts';

export { durationMs } from './values.ts';

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
    sourceHost: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Where the target reaches the source, when that is another name or address than the worker’s: over a VPN, without the source’s private DNS',
      ),
    sourcePort: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Its port there, when that is another one'),
  })
  .describe('Only for engine: native');

const azureDms = z
  .strictObject({
    subnet: z
      .string()
      .regex(
        /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/.+\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
        {
          error:
            'must be the resource id of a subnet: /subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…/subnets/…',
        },
      )
      .describe('Of a virtual network that reaches both servers'),
    service: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{1,61}$/, {
        error: 'must be 2-62 of letters, digits, - and _, beginning with a letter or digit',
      })
      .optional()
      .describe(
        'Made when there is none of that name; by default skyferry-<name>. One that was there before is used and left',
      ),
    location: z
      .string()
      .min(1)
      .optional()
      .describe('Of the service; by default the target’s. Must be that of the subnet'),
    keep: z
      .boolean()
      .default(false)
      .describe('Leave service and project where they are; they go on costing money'),
    hourlyPrice: z.number().nonnegative().optional().describe('Your own price in USD'),
  })
  .describe('Only for engine: azure-dms');

/**
 * What the user writes: `skyferry.yaml`, and as JSON the input of `migrateDatabase`. Secrets stay
 * references (`${env:NAME}`, `${file:path}`, `${aws-secret:name#key}`) from here to the activity that uses them.
 */
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
      .enum(['built-in', 'native', 'azure-dms', 'auto'])
      .default('built-in')
      .describe(
        'How rows and changes travel. built-in: by Skyferry. native: changes by the target’s own replication. azure-dms: rows and changes by Azure’s service. auto: the better of the first two; the plan says why',
      ),
    native: native.optional(),
    azureDms: azureDms.optional(),
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
/** Which one moves the data, once `auto` is decided. */
export type Engine = Exclude<MigrationConfig['engine'], 'auto'>;
export type WindowConfig = NonNullable<MigrationConfig['cutover']['window']>;
