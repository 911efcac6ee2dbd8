import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { ResolveContext } from './program.ts';
import { Unavailable } from './program.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The Debian mirror that this machine's apt is set up with. */
export async function debianSite({ signal, env }: ResolveContext): Promise<string> {
  if (process.arch !== 'x64') throw new Unavailable(`only for x86-64, this is ${process.arch}`);
  const format = '$(SITE) $(RELEASE)';
  const targets = ['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'];
  const { status, stdout, stderr } = await run(targets, { signal, env, timeoutMs: 30_000 });
  if (status !== 0) throw new Unavailable(`apt-get does not run here (${stderr.slice(-200)})`);
  const sites = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
  const site = sites.find((url) => /\/debian\/*$/.test(url));
  if (site === undefined) throw new Unavailable("this machine's apt knows no Debian mirror");
  return site;
}

export interface UnpackedPackages {
  /** `name_version_arch`, sorted. */
  readonly packages: string[];
}

/**
 * Downloads packages with everything they depend on and unpacks them below `root`, without root's
 * rights and without touching what is installed. apt checks the index against Debian's keys and each
 * package against the index.
 */
export async function unpackDebianPackages(
  names: readonly string[],
  root: string,
  work: string,
  context: ResolveContext,
): Promise<UnpackedPackages> {
  const site = await debianSite(context);
  const debs = join(work, 'debs');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'debs']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  await mkdir(root, { recursive: true });
  const sources = join(work, 'sid.sources');
  await writeFile(
    sources,
    `Types: deb\nURIs: ${site}\nSuites: sid\nComponents: main\nSigned-By: ${KEYRING}\n`,
  );
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'Dir::State::status=/dev/null',
    `APT::Sandbox::User=${userInfo().username}`,
    'Acquire::Retries=3',
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting]);

  context.progress("  reading Debian's package index…");
  await must(['apt-get', ...settings, 'update', '-qq'], 'apt-get update', context);
  const needed = await dependencies(names, settings, context);
  context.progress(`  downloading ${needed.length} packages…`);
  await must(
    ['apt-get', ...settings, 'download', '-qq', ...needed],
    'apt-get download',
    context,
    debs,
  );
  const files = (await readdir(debs)).filter((name) => name.endsWith('.deb')).sort();
  context.progress(`  unpacking ${files.length} packages…`);
  for (const file of files) await must(['dpkg-deb', '-x', join(debs, file), root], file, context);
  return { packages: files.map((file) => decodeURIComponent(file.replace(/\.deb$/, ''))) };
}

async function dependencies(
  names: readonly string[],
  settings: readonly string[],
  context: ResolveContext,
): Promise<string[]> {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const options = ['--recurse', ...without.map((kind) => `--no-${kind}`)];
  const output = await must(
    ['apt-cache', ...settings, 'depends', ...options, ...names],
    'apt-cache depends',
    context,
  );
  // Real packages stand at the line's beginning; virtual ones in angle brackets.
  const packages = output.split('\n').filter((line) => /^[a-z0-9]/.test(line));
  return [...new Set(packages)].sort();
}

async function must(
  command: readonly string[],
  what: string,
  { signal, env }: ResolveContext,
  cwd?: string,
): Promise<string> {
  const result = await run(command, { signal, env, ...(cwd !== undefined && { cwd }) });
  signal.throwIfAborted();
  if (result.status !== 0) {
    throw new Unavailable(`${what} failed: ${lastLines(result.stderr)}`);
  }
  return result.stdout;
}

export function lastLines(text: string): string {
  return text.split('\n').slice(-3).join(' / ').slice(-400);
}
