import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

export const serverNames = ['temporal', 'source', 'target'] as const;
export type ServerName = (typeof serverNames)[number];

/** Where the sandbox keeps what it keeps: all of it in one folder. */
export interface Layout {
  readonly root: string;
  readonly lockFile: string;
  readonly stateFile: string;
  /** What `\${file:…}` references name; made for the migration's worker. */
  readonly secrets: string;
  /** Passwords of the servers' superusers: no worker is to see them. */
  readonly superusers: string;
  readonly server: Readonly<Record<ServerName, string>>;
  /** The fake clouds' own folder, with their servers. */
  readonly clouds: string;
}

export function layoutOf(stateDir: string): Layout {
  const root = resolve(stateDir);
  return {
    root,
    lockFile: join(root, 'sandbox.lock'),
    stateFile: join(root, 'sandbox.json'),
    secrets: join(root, 'secrets'),
    superusers: join(root, 'superusers'),
    server: {
      temporal: join(root, 'temporal'),
      source: join(root, 'source'),
      target: join(root, 'target'),
    },
    clouds: join(root, 'clouds'),
  };
}

const port = z.int().min(1).max(65_535);

const sandboxState = z.strictObject({
  version: z.literal(1),
  /** Those that belong to it: with clouds the source and the target are theirs. */
  servers: z.array(z.enum(serverNames)).default([...serverNames]),
  schemas: z.array(z.string()),
  target: z.strictObject({ localInfile: z.boolean(), logBinTrustFunctionCreators: z.boolean() }),
  ports: z.strictObject({ source: port, target: port, temporal: port, temporalUi: port }),
  /** Where the programs came from, for people. */
  programs: z.strictObject({ mysqld: z.string(), temporal: z.string() }),
});

/** What the sandbox was made with. Holds no secret. */
export type SandboxState = z.infer<typeof sandboxState>;

/** Null when there is no sandbox in this folder. */
export async function readState({ stateFile }: Layout): Promise<SandboxState | null> {
  let text: string;
  try {
    text = await readFile(stateFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return sandboxState.parse(JSON.parse(text));
}

export async function writeState({ stateFile }: Layout, state: SandboxState): Promise<void> {
  await mkdir(dirname(stateFile), { recursive: true, mode: 0o700 });
  const next = `${stateFile}.next`;
  await writeFile(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(next, stateFile);
}
