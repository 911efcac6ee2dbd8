import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SkyferryFailure, isFailure } from '../failures.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { cacheFolder } from './cache.ts';
import { stopServers } from './down.ts';
import { freePort, isFree } from './process/free-port.ts';
import { isAlive, readIdentity } from './process/identity.ts';
import type { Life } from './process/launch.ts';
import { lock } from './process/lock.ts';
import type { Program } from './resolver/program.ts';
import { resolveMysqld, resolveTemporal } from './resolver/resolve.ts';
import { sampleSchemas } from './sample/schemas.ts';
import type { Sandbox } from './sandbox.ts';
import { CA_FILE, describeSandbox, HOST } from './sandbox.ts';
import { openSecretsFolder } from './secrets-folder.ts';
import type { Account } from './servers/accounts.ts';
import type { TargetParameters } from './servers/azure-like-target.ts';
import { azureLikeAccounts, azureLikeFlags } from './servers/azure-like-target.ts';
import {
  createAuthority,
  serverCertificateFlags,
  writeServerCertificate,
} from './servers/certificates.ts';
import { endLeftover } from './servers/leftover.ts';
import { IDENTITY_FILE, startMysqlServer } from './servers/mysql-server.ts';
import { discardUnprepared, prepareServer, superuserStatements } from './servers/prepare-mysql.ts';
import {
  rdsConfigurationStatements,
  rdsLikeAccounts,
  rdsLikeFlags,
} from './servers/rds-like-source.ts';
import { startTemporalServer } from './servers/temporal-server.ts';
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
  const starts = await Promise.allSettled(
    missing.map((name) => starters[name]({ sandbox, layout, programs, options })),
  );
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined || options.signal?.aborted === true) {
    await stopServers(layout, missing);
    options.signal?.throwIfAborted();
    throw failed?.reason;
  }
  return sandbox;
}

interface Start {
  sandbox: Sandbox;
  layout: Layout;
  programs: { mysqld: Program; temporal: Program };
  options: UpOptions;
}

const starters: Record<ServerName, (start: Start) => Promise<void>> = {
  source: (start) => {
    const { source, state } = start.sandbox;
    const passwords = {
      admin: source.admin.password,
      migration: source.migration.password,
      fence: source.fence.password,
      app: source.app.password,
    };
    return startPrepared(start, {
      name: 'source',
      superuser: source.superuser,
      flags: rdsLikeFlags(start.programs.mysqld),
      lowerCaseTableNames: 0,
      accounts: rdsLikeAccounts(start.programs.mysqld.version, state.schemas, passwords),
      statements: rdsConfigurationStatements,
    });
  },
  target: (start) => {
    const { target, state } = start.sandbox;
    const passwords = {
      admin: target.admin.password,
      migration: target.migration.password,
      app: target.app.password,
    };
    return startPrepared(start, {
      name: 'target',
      superuser: target.superuser,
      flags: azureLikeFlags(start.programs.mysqld, state.target),
      lowerCaseTableNames: 1,
      accounts: azureLikeAccounts(state.schemas, passwords),
      statements: [],
    });
  },
  temporal: async ({ sandbox: { state }, layout, programs, options }) => {
    await startTemporalServer({
      program: programs.temporal,
      folder: layout.server.temporal,
      ports: { grpc: state.ports.temporal, ui: state.ports.temporalUi },
      ui: true,
      persisted: true,
      life: { mode: options.life ?? 'detached' },
    });
  },
};

interface MysqlPlan {
  name: 'source' | 'target';
  superuser: Endpoint;
  flags: readonly string[];
  lowerCaseTableNames: 0 | 1;
  accounts: readonly Account[];
  statements: readonly string[];
}

async function startPrepared(
  { layout, programs, options }: Start,
  { name, superuser, flags, lowerCaseTableNames, accounts, statements }: MysqlPlan,
): Promise<void> {
  const folder = layout.server[name];
  await endLeftover(folder);
  await discardUnprepared(folder);
  await startMysqlServer({
    program: programs.mysqld,
    cache: cacheFolder(),
    folder,
    port: superuser.port,
    lowerCaseTableNames,
    flags: [...flags, ...serverCertificateFlags(folder)],
    firstStatements: superuserStatements(superuser.user, superuser.password),
    endpoint: superuser,
    life: { mode: options.life ?? 'detached' },
  });
  await prepareServer(superuser, folder, accounts, statements);
}

/** Alive and serving. One that is alive and does not answer is stopped, to be started again. */
async function runningServers(layout: Layout, state: SandboxState | null): Promise<ServerName[]> {
  const running: ServerName[] = [];
  for (const name of serverNames) {
    const identity = await readIdentity(join(layout.server[name], IDENTITY_FILE));
    if (identity === null || !isAlive(identity)) continue;
    if (state !== null && (await answers(name, layout, state))) running.push(name);
    else await stopServers(layout, [name]);
  }
  return running;
}

async function answers(name: ServerName, layout: Layout, state: SandboxState): Promise<boolean> {
  if (name === 'temporal') return !(await isFree(state.ports.temporal));
  const sandbox = await describeSandbox(layout, state);
  try {
    await using connection = await openConnection(sandbox[name].superuser);
    await connection.query('SELECT 1');
    return existsSync(join(layout.server[name], 'prepared'));
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
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
