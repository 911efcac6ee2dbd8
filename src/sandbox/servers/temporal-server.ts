import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkyferryFailure } from '../../failures.ts';
import { freePort } from '../process/free-port.ts';
import { IDENTITY_FILE } from '../process/identity.ts';
import type { LaunchedProcess, Life } from '../process/launch.ts';
import { launch } from '../process/launch.ts';
import { run } from '../process/run.ts';
import type { Program } from '../resolver/program.ts';

const START_TIMEOUT_MS = 90_000;
/** The user's own Temporal profiles are about other servers. */
const noProfile = ['--disable-config-file', '--disable-config-env'];

/** Registered on the sandbox's server; a workflow may set only what is registered. */
export const searchAttributes = { SkyferryPhase: 'Keyword', SkyferryMigration: 'Keyword' } as const;

export interface TemporalServerOptions {
  program: Program;
  /** Holds the log and the database file. */
  folder: string;
  ports?: { grpc: number; ui: number };
  ui: boolean;
  persisted: boolean;
  life: Life;
}

export interface TemporalServer {
  readonly process: LaunchedProcess;
  readonly address: string;
  readonly uiUrl: string | null;
  readonly ports: { grpc: number; ui: number };
}

/** Temporal's development server on the loopback; resolves when it serves. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { program, folder, ui, life } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const logFile = join(folder, 'temporal.log');
  for (let attempt = 1; ; attempt++) {
    const ports = options.ports ?? { grpc: await freePort(), ui: await freePort() };
    await rm(logFile, { force: true });
    const command = [...program.command([folder]), ...startDevFlags(options, ports)];
    const server = launch({ command, logFile, life, identityFile: join(folder, IDENTITY_FILE) });
    const address = `127.0.0.1:${ports.grpc}`;
    if (await isServing(server, program, address)) {
      const uiUrl = ui ? `http://127.0.0.1:${ports.ui}` : null;
      return { process: server, address, uiUrl, ports };
    }
    await server.stop(5000);
    const log = await readFile(logFile, 'utf8').catch(() => '');
    if (log.includes('address already in use') && options.ports === undefined && attempt < 5)
      continue;
    throw new SkyferryFailure(
      'PROGRAM_MISSING',
      `temporal did not start (${server.ended() ?? 'no answer'}): ${log.trim().slice(-400)}`,
      { next: `read ${logFile}` },
    );
  }
}

function startDevFlags(
  { folder, ui, persisted }: TemporalServerOptions,
  ports: { grpc: number; ui: number },
): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${ports.grpc}`,
    '--log-level=warn',
    '--color=never',
    ...noProfile,
    ...(ui ? [`--ui-port=${ports.ui}`] : ['--headless']),
    ...(persisted ? [`--db-filename=${join(folder, 'temporal.db')}`] : []),
    ...Object.entries(searchAttributes).map(([name, type]) => `--search-attribute=${name}=${type}`),
  ];
}

async function isServing(
  server: LaunchedProcess,
  program: Program,
  address: string,
): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (server.ended() === null && Date.now() < deadline) {
    const health = await run(
      [
        ...program.command([]),
        'operator',
        'cluster',
        'health',
        `--address=${address}`,
        '--command-timeout=2s',
        ...noProfile,
      ],
      { timeoutMs: 5000 },
    );
    if (health.stdout.includes('SERVING')) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
