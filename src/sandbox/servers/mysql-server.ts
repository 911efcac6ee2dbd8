import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import { openConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { freePort } from '../process/free-port.ts';
import { IDENTITY_FILE } from '../process/identity.ts';
import type { LaunchedProcess, Life } from '../process/launch.ts';
import { launch } from '../process/launch.ts';
import { withoutDefaults } from '../resolver/mysqld.ts';
import type { Program } from '../resolver/program.ts';
import { copyDataTemplate, everyRun, runAs } from './data-template.ts';

const START_TIMEOUT_MS = 90_000;
/** InnoDB finishes its transactions and flushes; a loaded machine may take its time. */
export const STOP_GRACE_MS = 30_000;

export interface MysqlServerOptions {
  program: Program;
  cache: string;
  /** Holds data, socket, pid file and log of this one server. */
  folder: string;
  /** Free ports are tried when none is given. */
  port?: number;
  /** Default 127.0.0.1. */
  bindAddress?: string;
  lowerCaseTableNames?: 0 | 1;
  flags: readonly string[];
  /** Run before the first connection is accepted, when the data folder is new; one line each. */
  firstStatements: readonly string[];
  /** Who is asked whether the server serves; its port is filled in. */
  endpoint: Endpoint;
  life: Life;
}

export interface MysqlServer {
  readonly process: LaunchedProcess;
  readonly endpoint: Endpoint;
  /** mysqld's own process number, e.g. to be killed in a test. */
  pid(): Promise<number>;
}

/** Starts a server on its folder, which is prepared on the first start; resolves when it serves. */
export async function startMysqlServer(options: MysqlServerOptions): Promise<MysqlServer> {
  const { program, cache, folder, firstStatements } = options;
  const data = join(folder, 'data');
  const fresh = !existsSync(data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'my.cnf'), '');
  const firstFile = join(folder, 'first.sql');
  if (fresh) {
    const lowerCaseTableNames = options.lowerCaseTableNames ?? 0;
    await copyDataTemplate(program, { lowerCaseTableNames, cache, folder: data });
    const statements = ['SET sql_log_bin = 0', ...firstStatements];
    await writeFile(firstFile, statements.map((s) => `${s};\n`).join(''), { mode: 0o600 });
  }
  try {
    return await startOnSomePort(options, fresh ? [`--init-file=${firstFile}`] : []);
  } catch (error) {
    // A half-prepared folder would be taken for a prepared one by the next start.
    if (fresh) await rm(data, { recursive: true, force: true });
    throw error;
  } finally {
    // It holds passwords.
    await rm(firstFile, { force: true });
  }
}

async function startOnSomePort(
  options: MysqlServerOptions,
  flags: readonly string[],
): Promise<MysqlServer> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const logFile = join(options.folder, 'mysqld.log');
    await rm(logFile, { force: true });
    const server = startOn(port, options, flags, logFile);
    const endpoint = { ...options.endpoint, port };
    const why = await untilServing(server, endpoint);
    if (why === null) return { process: server, endpoint, pid: () => readPid(options.folder) };
    await server.stop(STOP_GRACE_MS);
    const log = await readFile(logFile, 'utf8').catch(() => '');
    // Somebody else was faster with that port.
    if (log.includes('MY-010262') && options.port === undefined && attempt < 5) continue;
    throw new SkyferryFailure(
      'PROGRAM_MISSING',
      `mysqld did not start (${why}): ${errorsOf(log)}`,
      {
        next: `read ${logFile}`,
      },
    );
  }
}

function startOn(
  port: number,
  { program, folder, flags, life, lowerCaseTableNames, bindAddress }: MysqlServerOptions,
  furtherFlags: readonly string[],
  logFile: string,
): LaunchedProcess {
  const command = [
    ...withOwnDefaults(program.command([folder]), folder),
    ...everyRun,
    ...runAs(),
    `--lower-case-table-names=${lowerCaseTableNames ?? 0}`,
    `--datadir=${join(folder, 'data')}`,
    // Relative to the data folder: a socket's whole path may have no more than 107 bytes.
    '--socket=mysqld.sock',
    `--pid-file=${join(folder, 'mysqld.pid')}`,
    `--port=${port}`,
    `--bind-address=${bindAddress ?? '127.0.0.1'}`,
    ...flags,
    ...furtherFlags,
  ];
  return launch({ command, logFile, life, identityFile: join(folder, IDENTITY_FILE) });
}

/** An empty file instead of `--no-defaults`, under which the server forgets what SET PERSIST stored. */
function withOwnDefaults(command: readonly string[], folder: string): readonly string[] {
  const file = `--defaults-file=${join(folder, 'my.cnf')}`;
  return withoutDefaults(command).map((word) => (word === '--no-defaults' ? file : word));
}

/** Null once a login succeeds, else why it never will. */
async function untilServing(server: LaunchedProcess, endpoint: Endpoint): Promise<string | null> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const end = server.ended();
    if (end !== null) return end;
    try {
      const connection = await openConnection(endpoint);
      await connection.close();
      return null;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (!error.retryable) return error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `not within ${START_TIMEOUT_MS / 1000} s`;
}

/** Whether it takes that login and a query now. */
export async function answers(endpoint: Endpoint): Promise<boolean> {
  try {
    await using connection = await openConnection(endpoint);
    await connection.query('SELECT 1');
    return true;
  } catch (error) {
    if (isFailure(error)) return false;
    throw error;
  }
}

async function readPid(folder: string): Promise<number> {
  return Number((await readFile(join(folder, 'mysqld.pid'), 'utf8')).trim());
}

function errorsOf(log: string): string {
  const errors = log.split('\n').filter((line) => line.includes('[ERROR]'));
  return (errors.length > 0 ? errors : log.trim().split('\n')).slice(-3).join(' / ').slice(-600);
}
