import { statSync } from 'node:fs';
import { run } from '../process/run.ts';
import { cachedDebianMysql, debianMysqlProvider } from './debian-mysql.ts';
import { dockerMysqlProvider } from './docker-mysql.ts';
import type { Location, ProgramKind } from './program.ts';
import { Unavailable } from './program.ts';
import { unpackedMysqld } from './unpacked-mysql.ts';
import { isAtLeast } from './version.ts';

/** 8.0.30 has `innodb_redo_log_capacity`; every later 8.x behaves alike for what the sandbox needs. */
const MINIMUM = '8.0.30';
const needed = ['gtid-mode', 'innodb-redo-log-capacity', 'require-secure-transport'];
const optional = ['innodb-native-foreign-keys'];

export const mysqldKind: ProgramKind = {
  name: 'mysqld',
  variable: 'SKYFERRY_MYSQLD',
  executable: 'mysqld',
  furtherFolders: ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/usr/local/mysql/bin'],
  providers: [debianMysqlProvider, dockerMysqlProvider],
  locate: locateMysqld,
  cached: async (cache) => cachedDebianMysql(cache),
  probe: probeMysqld,
};

/** @param path of `mysqld` itself, or of a folder into which Debian's packages were unpacked */
async function locateMysqld(path: string): Promise<Location> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new Unavailable(`${path} does not exist`);
  return stat.isDirectory() ? unpackedMysqld(path) : { where: path, command: () => [path] };
}

async function probeMysqld(location: Location, signal: AbortSignal) {
  const command = withoutDefaults(location.command([]));
  const { status, stdout, stderr } = await run([...command, '--version'], {
    signal,
    timeoutMs: 120_000,
  });
  const version = /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (status !== 0 || version === undefined) {
    throw new Unavailable(`${location.where} does not run (${stderr.slice(-300) || status})`);
  }
  if (/mariadb/i.test(stdout)) throw new Unavailable(`${location.where} is MariaDB, not MySQL`);
  if (!isAtLeast(version, MINIMUM)) {
    throw new Unavailable(`${location.where} is MySQL ${version}; ${MINIMUM} or later is needed`);
  }
  const help = await run([...command, '--verbose', '--help'], { signal, timeoutMs: 120_000 });
  const known = new Set(Array.from(help.stdout.matchAll(/^ +--([a-z0-9-]+)/gm), (m) => m[1] ?? ''));
  const missing = needed.filter((flag) => !known.has(flag));
  if (missing.length > 0) {
    throw new Unavailable(`${location.where} does not know --${missing.join(', --')}`);
  }
  return { version, flags: new Set(optional.filter((flag) => known.has(flag))) };
}

/** `--no-defaults` must come first and only once: the machine's my.cnf is no business of ours. */
export function withoutDefaults(command: readonly string[]): readonly string[] {
  return command.includes('--no-defaults') ? command : [...command, '--no-defaults'];
}
