import { existsSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import { run } from '../process/run.ts';
import { debianSite, unpackDebianPackages } from './debian-packages.ts';
import type { Location, ProgramKind, Provider, ResolveContext } from './program.ts';
import { Unavailable } from './program.ts';
import { isAtLeast } from './version.ts';

const ENTRY = 'bind-debian-sid';
/** The oldest that the authors saw run without root's rights, by this sandbox's configuration. */
const MINIMUM = '9.18.0';

/** Where each of the two lies in Debian's packages. */
const unpackedAt = { named: 'usr/sbin/named', nsupdate: 'usr/bin/nsupdate' } as const;
type BindProgram = keyof typeof unpackedAt;

/** BIND's name server. */
export const namedKind: ProgramKind = bindKind('named', 'SKYFERRY_NAMED', [
  '/usr/sbin',
  '/usr/local/sbin',
]);

/** The standard program that sends dynamic updates (RFC 2136). */
export const nsupdateKind: ProgramKind = bindKind('nsupdate', 'SKYFERRY_NSUPDATE', []);

function bindKind(
  name: BindProgram,
  variable: string,
  furtherFolders: readonly string[],
): ProgramKind {
  return {
    name,
    variable,
    executable: name,
    furtherFolders,
    providers: [debianProvider(name)],
    locate: async (path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) throw new Unavailable(`${path} does not exist`);
      return stat.isDirectory() ? unpacked(name, path) : { where: path, command: () => [path] };
    },
    cached: async (cache) => {
      const root = join(cache, ENTRY, 'root');
      return existsSync(root) ? [unpacked(name, root)] : [];
    },
    probe,
  };
}

/** Debian's packages of both programs, unpacked into the cache as one entry. */
function debianProvider(name: BindProgram): Provider {
  return {
    name: 'debian-packages',
    check: async (context) => {
      await debianSite(context);
      return "would unpack Debian's bind9 and bind9-dnsutils into the cache (20 MB to download, 15 s)";
    },
    provide: async (context) => unpacked(name, await unpackedBind(context)),
  };
}

async function unpackedBind(context: ResolveContext): Promise<string> {
  const { cache, signal, progress } = context;
  const onWait = (pid: number) => progress(`  process ${pid} is getting BIND; waiting for it…`);
  const make = async (staging: string) => {
    const started = Date.now();
    progress("BIND: unpacking Debian's packages into the cache (once)");
    const [root, work] = [join(staging, 'root'), join(staging, 'work')];
    const taken = await unpackDebianPackages(['bind9', 'bind9-dnsutils'], root, work, context);
    await writeFile(join(staging, 'packages.json'), JSON.stringify(taken, null, 2));
    await rm(work, { recursive: true });
    progress(`  BIND is there after ${Math.round((Date.now() - started) / 1000)} s`);
  };
  return join(await cached(cache, ENTRY, make, { signal, onWait }), 'root');
}

/** Its libraries are not the machine's, so that it is started by its own loader. */
function unpacked(name: BindProgram, root: string): Location {
  const path = join(root, unpackedAt[name]);
  if (!existsSync(path)) throw new Unavailable(`${root} holds no ${unpackedAt[name]}`);
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
  const command = [loader, '--library-path', join(root, 'usr/lib/x86_64-linux-gnu'), path];
  return { where: path, command: () => command };
}

async function probe(location: Location, signal: AbortSignal) {
  const { status, stdout, stderr } = await run([...location.command([]), '-V'], {
    signal,
    timeoutMs: 60_000,
  });
  const version = /^(?:BIND|nsupdate) (\d+\.\d+\.\d+)/.exec(stdout || stderr)?.[1];
  if (status !== 0 || version === undefined) {
    throw new Unavailable(`${location.where} does not run (${stderr.slice(-300) || status})`);
  }
  if (!isAtLeast(version, MINIMUM)) {
    throw new Unavailable(`${location.where} is BIND ${version}; ${MINIMUM} or later is needed`);
  }
  return { version, flags: new Set<string>() };
}
