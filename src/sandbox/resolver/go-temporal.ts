import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { cached } from '../cache.ts';
import { debianSite, lastLines, unpackDebianPackages } from './debian-packages.ts';
import type { Location, Provider, ResolveContext } from './program.ts';
import { Unavailable } from './program.ts';
import { isAtLeast } from './version.ts';

/** Later tags carry a `replace` and refuse `go install pkg@version`. */
const TEMPORAL_CLI_TAG = 'v1.5.1';
/** The first that fetches a newer tool chain by itself when a module asks for one. */
const MINIMUM_GO = '1.21.0';

export const SDK_ENTRY = 'temporal-sdk';
const GO_ENTRY = `temporal-cli-${TEMPORAL_CLI_TAG}`;
/** Where the providers of Temporal leave it in the cache. */
export const TEMPORAL_ENTRIES = [SDK_ENTRY, GO_ENTRY];

/** Built from source by this machine's Go; Go checks each module against its checksum database. */
export const machineGoProvider: Provider = {
  name: 'go-install',
  check: async (context) => {
    const version = await goVersion('go', context);
    return `would build ${TEMPORAL_CLI_TAG} with Go ${version} (about three minutes)`;
  },
  provide: (context) =>
    buildTemporal(context, async (staging) => {
      await goInstall({ go: 'go', goPath: null, into: staging, context });
    }),
};

/** The same by Debian's Go, unpacked for this build only. */
export const debianGoProvider: Provider = {
  name: 'go-install-debian',
  check: async (context) => {
    await debianSite(context);
    return `would unpack Debian's Go and build ${TEMPORAL_CLI_TAG} with it (about four minutes)`;
  },
  provide: (context) =>
    buildTemporal(context, async (staging) => {
      const work = join(staging, 'work');
      const root = join(work, 'root');
      context.progress("Temporal: unpacking Debian's Go");
      await unpackDebianPackages(['golang-go'], root, join(work, 'apt'), context);
      const go = join(root, 'usr/lib/go/bin/go');
      await goInstall({ go, goPath: join(work, 'go'), into: staging, context });
      await rm(work, { recursive: true });
    }),
};

async function buildTemporal(
  { cache, signal, progress }: ResolveContext,
  make: (staging: string) => Promise<void>,
): Promise<Location> {
  const onWait = (pid: number) => progress(`  process ${pid} is building Temporal; waiting…`);
  const path = join(await cached(cache, GO_ENTRY, make, { signal, onWait }), 'temporal');
  return { where: path, command: () => [path] };
}

interface GoInstall {
  go: string;
  /** Where modules and build results go; null: the machine's own caches. */
  goPath: string | null;
  into: string;
  context: ResolveContext;
}

async function goInstall({ go, goPath, into, context }: GoInstall): Promise<void> {
  const { progress, signal } = context;
  await goVersion(go, context);
  if (goPath !== null) await mkdir(goPath, { recursive: true });
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  progress(`Temporal: building ${TEMPORAL_CLI_TAG} from source (once, about three minutes)`);
  const count = { modules: 0, packages: 0 };
  const ticker = setInterval(() => {
    progress(`  ${seconds()} s: ${count.modules} modules, ${count.packages} packages compiled`);
  }, 10_000);
  try {
    const module = `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_CLI_TAG}`;
    const { status, stderr } = await run([go, 'install', '-v', '-ldflags=-s -w', module], {
      signal,
      env: {
        ...context.env,
        GOBIN: into,
        GOFLAGS: '-modcacherw',
        CGO_ENABLED: '0',
        // Unpacked Go would look for itself where its package would have been installed.
        ...(goPath !== null && {
          GOROOT: join(go, '../..'),
          GOPATH: goPath,
          GOMODCACHE: join(goPath, 'pkg/mod'),
          GOCACHE: join(goPath, 'build'),
        }),
      },
      onLine: (line) => {
        if (line.startsWith('go: downloading')) count.modules++;
        else if (/^[\w.-]+(\/|$)/.test(line)) count.packages++;
      },
    });
    signal.throwIfAborted();
    if (status !== 0) throw new Unavailable(`go install failed: ${lastLines(stderr)}`);
  } finally {
    clearInterval(ticker);
  }
  progress(`  Temporal is there after ${seconds()} s`);
}

async function goVersion(go: string, { signal, env }: ResolveContext): Promise<string> {
  const result = await run([go, 'version'], { signal, env, timeoutMs: 60_000 });
  const version = /go version go(\d+\.\d+(\.\d+)?)/.exec(result.stdout)?.[1];
  if (version === undefined) throw new Unavailable(`no Go here (${lastLines(result.stderr)})`);
  if (!isAtLeast(version, MINIMUM_GO)) {
    throw new Unavailable(`Go ${version} is too old; ${MINIMUM_GO} or later is needed`);
  }
  return version;
}
