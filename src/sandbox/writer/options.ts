import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SkyferryFailure } from '../../failures.ts';

const schema = z.strictObject({
  /** Names the run in the ledger; by default a new UUID. */
  writerId: z.uuid().optional(),
  /** What tells the application where its database is; see connection-file.ts. */
  connectionFile: z.string().min(1),
  /** When the connection string holds no password. */
  passwordFile: z.string().optional(),
  /** PEM; its presence asks for a verified identity. */
  caFile: z.string().optional(),
  /** False for a host name of the application's own, which no vendor's certificate names. */
  verifyIdentity: z.boolean().default(true),
  ledgerFile: z.string().min(1),
  sessions: z.int().min(1).max(64).default(4),
  /** Transactions a second, of all sessions together. */
  rate: z.number().positive().max(100_000).default(100),
  seed: z.int().default(1),
  /** Stops by itself after this many seconds; without it, when told to. */
  durationSeconds: z.number().positive().optional(),
  /** How often the connection file is looked at for a change. */
  pollMs: z.int().min(10).default(200),
  progressMs: z.int().min(100).default(2000),
  /** After this long without an answer a connection counts as lost. */
  statementTimeoutMs: z.int().min(500).default(20_000),
});

export type WriterOptions = z.output<typeof schema>;
export type WriterInput = z.input<typeof schema>;

export function parseWriterOptions(input: unknown): WriterOptions {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new SkyferryFailure('CONFIG_INVALID', `writer options: ${z.prettifyError(result.error)}`);
}

export async function readWriterOptions(path: string): Promise<WriterOptions> {
  return parseWriterOptions(JSON.parse(await readFile(path, 'utf8')));
}
