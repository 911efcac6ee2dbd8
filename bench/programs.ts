import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, cached } from '../src/sandbox/cache.ts';
import { debianMysqlProvider } from '../src/sandbox/resolver/debian-mysql.ts';
import { unpackDebianPackages } from '../src/sandbox/resolver/debian-packages.ts';
import type { Program, ResolveContext } from '../src/sandbox/resolver/program.ts';
import { resolveContext, resolveMysqld } from '../src/sandbox/resolver/resolve.ts';

/** The server and every client that is measured, all from Debian, unpacked into the cache. */
export interface Programs {
  readonly mysqld: Program;
  readonly mysql: readonly string[];
  readonly mysqldump: readonly string[];
  readonly mydumper: readonly string[];
  readonly myloader: readonly string[];
  readonly mydumperVersion: string;
  /** For mydumper and myloader: where their client library finds its authentication plugins. */
  readonly mariadbPlugins: string;
}

export async function getPrograms(signal: AbortSignal): Promise<Programs> {
  const context = resolveContext({ signal });
  const { where } = await debianMysqlProvider.provide(context);
  const mysqlRoot = dirname(dirname(dirname(where)));
  const mydumperEntry = await getMydumper(context);
  const mydumperRoot = join(mydumperEntry, 'root');
  return {
    mysqld: await resolveMysqld({ signal, env: { ...process.env, SKYFERRY_MYSQLD: mysqlRoot } }),
    mysql: unpacked(mysqlRoot, 'usr/bin/mysql'),
    mysqldump: unpacked(mysqlRoot, 'usr/bin/mysqldump'),
    mydumper: unpacked(mydumperRoot, 'usr/bin/mydumper'),
    myloader: unpacked(mydumperRoot, 'usr/bin/myloader'),
    mydumperVersion: await debianVersion(mydumperEntry),
    mariadbPlugins: join(mydumperRoot, LIBRARIES, 'libmariadb3/plugin'),
  };
}

async function getMydumper(context: ResolveContext): Promise<string> {
  const make = async (staging: string): Promise<void> => {
    context.progress("mydumper: unpacking Debian's packages into the cache (once)");
    const work = join(staging, 'work');
    const root = join(staging, 'root');
    const { packages } = await unpackDebianPackages(['mydumper'], root, work, context);
    await writeFile(join(staging, PACKAGES), JSON.stringify(packages, null, 2));
    await rm(work, { recursive: true });
  };
  return await cached(cacheFolder(), 'mydumper-debian-sid', make, { signal: context.signal });
}

const PACKAGES = 'packages.json';
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** Debian's newest builds need Debian's newest libraries, which lie beside them. */
function unpacked(root: string, program: string): string[] {
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
  return [loader, '--library-path', join(root, LIBRARIES), join(root, program)];
}

/** mydumper itself tells the version before. */
async function debianVersion(entry: string): Promise<string> {
  const packages = JSON.parse(await readFile(join(entry, PACKAGES), 'utf8')) as string[];
  const found = packages.find((name) => name.startsWith('mydumper_'));
  return found?.split('_')[1]?.replace(/-[^-]*$/, '') ?? 'unknown';
}
