import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { SCHEMA } from '../data.ts';
import { must } from '../must.ts';
import type { BenchServer } from '../servers.ts';

/** A dump into files, then their load: this version cannot do both at once. */
export async function mydumper({ programs, source, target, folder, signal }: Bench): Promise<void> {
  const dump = await mkdtemp(join(folder, 'mydumper-'));
  const env = { ...process.env, MARIADB_PLUGIN_DIR: programs.mariadbPlugins };
  const threads = `--threads=${availableParallelism()}`;
  try {
    const from = [...programs.mydumper, ...login(source), threads];
    await must([...from, '--database', SCHEMA, '--outputdir', dump], { signal, env });
    const to = [...programs.myloader, ...login(target), threads];
    await must([...to, '--enable-binlog', '--directory', dump], { signal, env });
  } finally {
    await rm(dump, { recursive: true, force: true });
  }
}

function login({ mariadbClientFile, authorityFile }: BenchServer): string[] {
  return [`--defaults-file=${mariadbClientFile}`, '--ssl', '--ca', authorityFile];
}
