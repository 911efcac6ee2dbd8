import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { debianGoProvider, machineGoProvider, TEMPORAL_ENTRIES } from './go-temporal.ts';
import type { Location, ProgramKind } from './program.ts';
import { Unavailable } from './program.ts';
import { sdkDownloadProvider } from './sdk-temporal.ts';
import { isAtLeast } from './version.ts';

/** 1.28 shows Current Details and activity summaries in its UI. */
const MINIMUM_SERVER = '1.28.0';
const needed = ['--db-filename', '--search-attribute', '--ui-port', '--headless'];

export const temporalKind: ProgramKind = {
  name: 'temporal',
  variable: 'SKYFERRY_TEMPORAL',
  executable: 'temporal',
  furtherFolders: [],
  providers: [sdkDownloadProvider, machineGoProvider, debianGoProvider],
  locate: async (path) => {
    if (!existsSync(path)) throw new Unavailable(`${path} does not exist`);
    return at(path);
  },
  cached: async (cache) =>
    TEMPORAL_ENTRIES.map((entry) => join(cache, entry, 'temporal'))
      .filter((path) => existsSync(path))
      .map(at),
  probe: probeTemporal,
};

function at(path: string): Location {
  return { where: path, command: () => [path] };
}

async function probeTemporal(location: Location, signal: AbortSignal) {
  const command = location.command([]);
  const options = { signal, timeoutMs: 120_000 };
  const version = await run([...command, '--version'], options);
  // A build by `go install` calls itself 0.0.0-DEV; the server's version in the brackets is real.
  const server = /Server (\d+\.\d+\.\d+)/.exec(version.stdout)?.[1];
  if (version.status !== 0 || server === undefined) {
    throw new Unavailable(`${location.where} does not run (${version.stderr.slice(-300)})`);
  }
  if (!isAtLeast(server, MINIMUM_SERVER)) {
    throw new Unavailable(
      `${location.where} holds Server ${server}; ${MINIMUM_SERVER} or later is needed`,
    );
  }
  const help = await run([...command, 'server', 'start-dev', '--help'], options);
  const missing = needed.filter((flag) => !help.stdout.includes(flag));
  if (missing.length > 0) {
    throw new Unavailable(`${location.where} does not know ${missing.join(', ')}`);
  }
  return { version: server, flags: new Set<string>() };
}
