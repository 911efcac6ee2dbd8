import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { SkyferryFailure } from '../failures.ts';
import { stopServers } from './down.ts';
import { freePort, isFree } from './process/free-port.ts';
import type { Life } from './process/launch.ts';
import { lock } from './process/lock.ts';
import type { Program } from './resolver/program.ts';
import { resolveMysqld, resolveTemporal } from './resolver/resolve.ts';
import { runningServers } from './running-servers.ts';
import { sampleSchemas } from './sample/schemas.ts';
import type { Sandbox } from './sandbox.ts';
import { CA_FILE, describeSandbox, HOST } from './sandbox.ts';
import { openSecretsFolder } from './secrets-folder.ts';
import type { TargetParameters } from './servers/azure-like-target.ts';
import {
  createAuthority,
  serverCertificateFlags,
  writeServerCertificate,
} from './servers/certificates.ts';
import { starters } from './start-servers.ts';
import type { Layout, SandboxState, ServerName } from './state.ts';
import { layoutOf, readState, serverNames, writeState } from './state.ts';

export interface UpOptions {
  stateDir: string;
  /** Schemas that the accounts may use; by default the sample database's. */
  schemas?: readonly string[];
  target?: Partial<TargetParameters>;
  /** By default all; with clouds the source and the target are theirs. */
  servers?: readonly ServerName[];
  /** `bound`: the servers end with this process, however it ends. Default: they outlive it. */
  life?: Life['mode'];
  signal?: AbortSignal;
  /** A line for people; default: stderr. */
  progress?: (line: string) => void;
}

/**
 * Starts what does not run yet and leaves the rest alone, so calling it twice does no harm. When one
 * server cannot be started, those that this call started are stopped again.
 */
export async function up(options: UpOptions): Promise<Sandbox> {
  const layout = layoutOf(options.stateDir);
  await mkdir(layout.root, { recursive: true, mode: 0o700 });
  await using _ = await lock(layout.lockFile, lockOptions(options));
  const wanted = {
    schemas: [...(options.schemas ?? sampleSchemas)],
    target: { localInfile: true, logBinTrustFunctionCreators: true, ...options.target },
  };
  const former = await readState(layout);
  if (former !== null) refuseOtherParameters(former, wanted);
  const running = await runningServers(layout, former);
  const servers = options.servers ?? serverNames;
  if (former !== null && servers.every((name) => running.includes(name))) {
    return await describeSandbox(layout, former);
  }
  const programs = await resolvePrograms(options);
  const state: SandboxState = {
    version: 1,
    servers: [...new Set([...(former?.servers ?? []), ...servers])],
    ...wanted,
    ports: await choosePorts(former, running, options),
    programs: { mysqld: originOf(programs.mysqld), temporal: originOf(programs.temporal) },
  };
  await writeState(layout, state);
  await ensureCertificates(layout);
  const sandbox = await describeSandbox(layout, state);
  const missing = servers.filter((name) => !running.includes(name));
  const { life = 'detached' } = options;
  const starts = await Promise.allSettled(
    missing.map((name) => starters[name]({ sandbox, layout, programs, life })),
  );
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined || options.signal?.aborted === true) {
    await stopServers(layout, missing);
    options.signal?.throwIfAborted();
    throw failed?.reason;
  }
  return sandbox;
}

/** The former ports where they are still free, so that configurations written for them go on working. */
async function choosePorts(
  former: SandboxState | null,
  running: readonly ServerName[],
  { progress = toStderr }: UpOptions,
): Promise<SandboxState['ports']> {
  const choose = async (name: keyof SandboxState['ports'], server: ServerName) => {
    const port = former?.ports[name];
    if (port === undefined) return freePort();
    if (running.includes(server) || (await isFree(port))) return port;
    const other = await freePort();
    progress(`port ${port} of the ${name} server is taken by another program; now ${other}`);
    return other;
  };
  return {
    source: await choose('source', 'source'),
    target: await choose('target', 'target'),
    temporal: await choose('temporal', 'temporal'),
    temporalUi: await choose('temporalUi', 'temporal'),
  };
}

/** One authority for both servers, its key thrown away: made anew only when a certificate is missing. */
async function ensureCertificates(layout: Layout): Promise<void> {
  const secrets = await openSecretsFolder(layout.secrets);
  const folders = [layout.server.source, layout.server.target];
  const files = folders.flatMap((folder) => serverCertificateFlags(folder).map(pathOf));
  if ((await secrets.read(CA_FILE)) !== null && files.every((file) => existsSync(file))) return;
  const authority = await createAuthority('Skyferry sandbox authority');
  for (const folder of folders) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeServerCertificate(authority, [HOST], folder);
  }
  await secrets.write(CA_FILE, authority.certificate);
}

function pathOf(flag: string): string {
  return flag.slice(flag.indexOf('=') + 1);
}

function refuseOtherParameters(
  former: SandboxState,
  wanted: Pick<SandboxState, 'schemas' | 'target'>,
): void {
  const { schemas, target } = former;
  if (JSON.stringify([schemas, target]) === JSON.stringify([wanted.schemas, wanted.target])) return;
  throw new SkyferryFailure('CONFIG_INVALID', 'the sandbox was made with other parameters', {
    safe: 'nothing was changed',
    next: 'skyferry dev reset, then skyferry dev up',
  });
}

async function resolvePrograms({ signal, progress = toStderr }: UpOptions) {
  const options = { progress, ...(signal !== undefined && { signal }) };
  const [mysqld, temporal] = await Promise.all([resolveMysqld(options), resolveTemporal(options)]);
  return { mysqld, temporal };
}

function originOf({ name, version, provider, where }: Program): string {
  return `${name} ${version}, ${provider}: ${where}`;
}

function lockOptions({ signal, progress = toStderr }: Pick<UpOptions, 'signal' | 'progress'>) {
  return {
    ...(signal !== undefined && { signal }),
    onWait: (pid: number) => progress(`process ${pid} is busy with this sandbox; waiting for it…`),
  };
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
