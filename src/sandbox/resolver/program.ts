export type ProgramName = 'mysqld' | 'temporal' | 'named' | 'nsupdate';

/** A program that was found, and how to start it. */
export interface Program {
  readonly name: ProgramName;
  /** Which way of getting it won: `environment`, `path`, `cache`, or a provider's name. */
  readonly provider: string;
  /** Where it is, for people. */
  readonly where: string;
  /** As the program tells it, e.g. `9.7.4` or `1.29.1`. */
  readonly version: string;
  /** Names of the optional flags that this build knows, without dashes. */
  readonly flags: ReadonlySet<string>;
  /**
   * The command's beginning; flags follow. `folders` are what the server reads and writes, for a
   * provider that runs it where they would not be seen otherwise.
   */
  command(folders: readonly string[]): readonly string[];
}

/** A program that is at hand and not yet probed. */
export interface Location {
  readonly where: string;
  command(folders: readonly string[]): readonly string[];
}

/** Why a way did not lead to a program; the text is shown to people. */
export class Unavailable extends Error {}

export interface ResolveContext {
  readonly env: NodeJS.ProcessEnv;
  readonly cache: string;
  readonly signal: AbortSignal;
  /** One line for people about what takes time. */
  readonly progress: (line: string) => void;
}

/** A way to get a program that is not on this machine yet. */
export interface Provider {
  readonly name: string;
  /** Set on what was never run by the authors, with what is missing for it. */
  readonly neverRun?: string;
  /** Cheap look at whether it could work here; says how, or throws Unavailable. */
  check(context: ResolveContext): Promise<string>;
  /** Gets the program, into the cache if it is to be kept; throws Unavailable. */
  provide(context: ResolveContext): Promise<Location>;
}

/** What the resolver has to know about a program. */
export interface ProgramKind {
  readonly name: ProgramName;
  /** Holds a path; wins over everything. */
  readonly variable: string;
  readonly executable: string;
  /** Searched after PATH: servers are often installed where ordinary users' PATH does not lead. */
  readonly furtherFolders: readonly string[];
  readonly providers: readonly Provider[];
  /** A program from a path that a person gave. */
  locate(path: string): Promise<Location>;
  /** What is in the cache already. */
  cached(cache: string): Promise<Location[]>;
  /** Version and flags; throws Unavailable when it does not run, is too old or lacks a flag. */
  probe(location: Location, signal: AbortSignal): Promise<Pick<Program, 'version' | 'flags'>>;
}
