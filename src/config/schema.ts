import { z } from 'zod';

/**
 * What the user writes: `skyferry.yaml`, and as JSON the input of `migrateDatabase`. Secrets stay
 * references (`${env:NAME}`, `${file:path}`) from here to the activity that uses them.
 */
const secret = z
  .string()
  .regex(/^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$/, {
    error: 'must be a reference, ${env:NAME} or ${file:path}: secrets are never written here',
  })
  .describe('A reference, ${env:NAME} or ${file:path}; resolved on the worker only when it is used')
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

const server = z.strictObject({
  kind: z.literal('mysql').default('mysql'),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(3306),
  user: z.string().min(1).max(32),
  password: secret,
  tls,
});

const source = server.extend({
  fence: account
    .optional()
    .describe(
      'A separate account that may stop writes: SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS, XA_RECOVER_ADMIN',
    ),
});

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
    fence: z.literal('super-read-only').default('super-read-only'),
    otherSchemasMayBeFenced: z
      .array(z.string())
      .default([])
      .describe('Schemas outside this migration that a server-wide fence stops too'),
    downtimeBudget: durationUpTo('30m').default('60s').describe('A duration of at most 30m'),
    switches: z.array(switchSchema).default([]),
  })
  .prefault({});

export const migrationConfigSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
        error: 'must be 1-63 of a-z, 0-9 and -, beginning with a letter or digit',
      })
      .describe('Names the migration; its workflow id is migration/<name>'),
    source,
    target: server,
    schemas: z.array(z.string().min(1).max(64)).min(1).describe('What moves together'),
    method: z.literal('online').default('online'),
    engine: z.literal('built-in').default('built-in'),
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
export type ServerConfig = MigrationConfig['source'] | MigrationConfig['target'];
export type SwitchConfig = MigrationConfig['cutover']['switches'][number];
export type WindowConfig = NonNullable<MigrationConfig['cutover']['window']>;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a validated duration. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
