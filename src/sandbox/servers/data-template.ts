import { createHash } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { constants } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { SkyferryFailure } from '../../failures.ts';
import { run } from '../process/run.ts';
import { cached } from '../cache.ts';
import { withoutDefaults } from '../resolver/mysqld.ts';
import type { Program } from '../resolver/program.ts';

/** Flags that every run of a server shares with the initialisation of its data. */
export const everyRun = [
  '--mysqlx=OFF',
  '--auto-generate-certs=OFF',
  '--caching-sha2-password-auto-generate-rsa-keys=OFF',
  '--innodb-redo-log-capacity=64M',
  '--secure-file-priv=',
] as const;

/**
 * A fresh data folder, copied from one that was initialised once for each version: initialising
 * takes 3 s, copying a few tenths. root@localhost has no password in it.
 */
export async function copyDataTemplate(
  program: Program,
  {
    lowerCaseTableNames,
    cache,
    folder,
  }: { lowerCaseTableNames: 0 | 1; cache: string; folder: string },
): Promise<void> {
  const flags = [...everyRun, `--lower-case-table-names=${lowerCaseTableNames}`];
  const key = JSON.stringify([program.where, program.version, flags]);
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const name = `mysql-data-${program.version}-${digest}`;
  const template = await cached(cache, name, async (staging) => {
    await initialise(program, join(staging, 'data'), flags);
  });
  await cp(join(template, 'data'), folder, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
}

async function initialise(program: Program, data: string, flags: string[]): Promise<void> {
  const { status, stderr } = await run([
    ...withoutDefaults(program.command([join(data, '..')])),
    ...flags,
    ...runAs(),
    `--datadir=${data}`,
    '--log-error-verbosity=1',
    '--initialize-insecure',
  ]);
  if (status !== 0) {
    throw new SkyferryFailure(
      'PROGRAM_MISSING',
      `mysqld could not initialise: ${stderr.slice(-500)}`,
    );
  }
  // The server's UUID: each copy makes its own.
  await rm(join(data, 'auto.cnf'), { force: true });
}

/** mysqld refuses to run as root without being told so. */
export function runAs(): string[] {
  return process.getuid?.() === 0 ? [`--user=${userInfo().username}`] : [];
}
