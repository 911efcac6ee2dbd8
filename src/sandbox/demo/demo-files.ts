import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { MigrationConfig } from '../../config/schema.ts';
import { parseConfigText } from '../../config/load.ts';
import { sampleSchemas } from '../sample/schemas.ts';
import type { Sandbox } from '../sandbox.ts';
import { CA_FILE, configuredServers, HOST, passwordFiles } from '../sandbox.ts';

/** The demo's own files, beside the sandbox's. */
export interface DemoFiles {
  readonly folder: string;
  /** What the worker may switch: only what lies here. */
  readonly switchDirectory: string;
  /** Where the application looks its database up; the cutover changes it. */
  readonly connectionFile: string;
  readonly writerOptions: string;
  readonly ledger: string;
  readonly config: string;
  readonly report: string;
  log(name: string): string;
}

export const DEMO_MIGRATION = 'demo';

export async function prepareDemoFiles(sandbox: Sandbox): Promise<DemoFiles> {
  const folder = join(sandbox.stateDir, 'demo');
  const switchDirectory = join(folder, 'application');
  // A former demo's ledger would be judged against this one's target.
  await rm(folder, { recursive: true, force: true });
  await mkdir(switchDirectory, { recursive: true });
  return {
    folder,
    switchDirectory,
    connectionFile: join(switchDirectory, 'database.url'),
    writerOptions: join(folder, 'writer.json'),
    ledger: join(folder, 'ledger.jsonl'),
    config: join(folder, 'skyferry.yaml'),
    report: join(folder, 'report.html'),
    log: (name) => join(folder, `${name}.log`),
  };
}

/** The application's connection string, and how the writer plays the application. */
export async function writeApplicationFiles(
  { state, secretsDir }: Sandbox,
  files: DemoFiles,
  { rate, seed }: { rate: number; seed: number },
): Promise<void> {
  await writeFile(files.connectionFile, `mysql://app@${HOST}:${state.ports.source}\n`);
  const options = {
    connectionFile: files.connectionFile,
    passwordFile: join(secretsDir, passwordFiles.source.app),
    caFile: join(secretsDir, CA_FILE),
    ledgerFile: files.ledger,
    sessions: 4,
    rate,
    seed,
  };
  await writeFile(files.writerOptions, JSON.stringify(options, null, 2));
}

/** A configuration as a user would write it; read back through the same door as a user's. */
export async function writeDemoConfig(
  sandbox: Sandbox,
  files: DemoFiles,
): Promise<MigrationConfig> {
  const { ports } = sandbox.state;
  const text = stringify({
    name: DEMO_MIGRATION,
    ...configuredServers(sandbox),
    schemas: [...sampleSchemas],
    cutover: {
      lagThreshold: '2s',
      lagSamples: 3,
      downtimeBudget: '30s',
      switches: [
        {
          consumer: 'brokerage-app',
          kind: 'file',
          path: files.connectionFile,
          from: `${HOST}:${ports.source}`,
          to: `${HOST}:${ports.target}`,
          account: { user: 'app', password: `\${file:${passwordFiles.target.app}}` },
        },
      ],
    },
    // Small pieces, so that a small database shows what a large one does.
    limits: { chunkRows: 2000, copyParallel: 2 },
  });
  await writeFile(files.config, text);
  return parseConfigText(files.config, text);
}
