import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SkyferryFailure } from '../../failures.ts';
import { cacheFolder } from '../cache.ts';
import { namedKind, nsupdateKind } from './bind.ts';
import { mysqldKind } from './mysqld.ts';
import type { Location, Program, ProgramKind, ProgramName, ResolveContext } from './program.ts';
import { Unavailable } from './program.ts';
import { temporalKind } from './temporal.ts';

export interface ResolveOptions {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Default: a line on stderr. */
  progress?: (line: string) => void;
}

export const programKinds: Record<ProgramName, ProgramKind> = {
  mysqld: mysqldKind,
  temporal: temporalKind,
  named: namedKind,
  nsupdate: nsupdateKind,
};

export function resolveMysqld(options: ResolveOptions = {}): Promise<Program> {
  return resolveProgram(mysqldKind, options);
}

export function resolveTemporal(options: ResolveOptions = {}): Promise<Program> {
  return resolveProgram(temporalKind, options);
}

export function resolveNamed(options: ResolveOptions = {}): Promise<Program> {
  return resolveProgram(namedKind, options);
}

/** @param options.fetch false: only what is at hand, e.g. on a worker in the middle of a cutover */
export function resolveNsupdate({
  fetch = true,
  ...options
}: ResolveOptions & { fetch?: boolean } = {}): Promise<Program> {
  return resolveProgram(fetch ? nsupdateKind : { ...nsupdateKind, providers: [] }, options);
}

/**
 * Finds a program or gets it: environment variable, PATH, cache, providers. The first that is good
 * enough wins. A variable that is set and wrong is an error at once: the person meant that one.
 * @throws SkyferryFailure PROGRAM_MISSING with everything that was tried
 */
export async function resolveProgram(
  kind: ProgramKind,
  options: ResolveOptions = {},
): Promise<Program> {
  const context = resolveContext(options);
  const tried: string[] = [];
  for (const way of waysTo(kind, context)) {
    try {
      return await way.take();
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Unavailable)) throw error;
      tried.push(`${way.provider}: ${error.message}`);
      if (way.provider === 'environment' && context.env[kind.variable] !== undefined) break;
    }
  }
  throw new SkyferryFailure(
    'PROGRAM_MISSING',
    `${kind.executable} was not found and could not be fetched.\n` +
      tried.map((line) => `  - ${line}`).join('\n'),
    { next: `set ${kind.variable} to the path of ${kind.executable}, or mend one of the above` },
  );
}

export function resolveContext(options: ResolveOptions): ResolveContext {
  const env = options.env ?? process.env;
  return {
    env,
    cache: cacheFolder(env),
    signal: options.signal ?? new AbortController().signal,
    progress: options.progress ?? ((line) => process.stderr.write(`${line}\n`)),
  };
}

export interface Way {
  readonly provider: string;
  readonly neverRun?: string;
  /** Throws Unavailable. Resolves to how it would work when taking it means to fetch something. */
  readonly look: () => Promise<Program | string>;
  readonly take: () => Promise<Program>;
}

/** Every way to the program, in the order in which they are tried. */
export function waysTo(kind: ProgramKind, context: ResolveContext): Way[] {
  const atHand = (provider: string, locations: () => Promise<Location[]>): Way => {
    const take = () => firstGood(kind, provider, locations, context);
    return { provider, look: take, take };
  };
  return [
    atHand('environment', () => fromVariable(kind, context)),
    atHand('path', () => Promise.all(onPath(kind, context).map((path) => kind.locate(path)))),
    atHand('cache', () => kind.cached(context.cache)),
    ...kind.providers.map((provider) => ({
      provider: provider.name,
      ...(provider.neverRun !== undefined && { neverRun: provider.neverRun }),
      look: () => provider.check(context),
      take: async () => {
        await provider.check(context);
        return probed(kind, provider.name, await provider.provide(context), context);
      },
    })),
  ];
}

async function firstGood(
  kind: ProgramKind,
  provider: string,
  locations: () => Promise<Location[]>,
  context: ResolveContext,
): Promise<Program> {
  const refused: string[] = [];
  for (const location of await locations()) {
    try {
      return await probed(kind, provider, location, context);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      refused.push(error.message);
    }
  }
  throw new Unavailable(refused.length === 0 ? 'nothing there' : refused.join('; '));
}

async function probed(
  kind: ProgramKind,
  provider: string,
  location: Location,
  { signal }: ResolveContext,
): Promise<Program> {
  const { version, flags } = await kind.probe(location, signal);
  return {
    name: kind.name,
    provider,
    where: location.where,
    version,
    flags,
    command: (folders) => location.command(folders),
  };
}

async function fromVariable(kind: ProgramKind, { env }: ResolveContext): Promise<Location[]> {
  const path = env[kind.variable];
  if (path === undefined || path === '') throw new Unavailable(`${kind.variable} is not set`);
  return [await kind.locate(path)];
}

function onPath(kind: ProgramKind, { env }: ResolveContext): string[] {
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...kind.furtherFolders];
  const paths = folders.filter((f) => f !== '').map((folder) => join(folder, kind.executable));
  return [...new Set(paths)].filter(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
