import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../src/mysql/endpoint.ts';
import { cacheFolder } from '../src/sandbox/cache.ts';
import type { Program } from '../src/sandbox/resolver/program.ts';
import { resolveMysqld, resolveTemporal } from '../src/sandbox/resolver/resolve.ts';
import {
  createAuthority,
  serverCertificateFlags,
  writeServerCertificate,
} from '../src/sandbox/servers/certificates.ts';
import { startMysqlServer, STOP_GRACE_MS } from '../src/sandbox/servers/mysql-server.ts';
import { startTemporalServer } from '../src/sandbox/servers/temporal-server.ts';

export interface TestMysql {
  /** An administrator with every privilege, over TLS with a verified name. */
  readonly endpoint: Endpoint;
  /** mysqld's own process, to be killed or frozen; it changes with every start. */
  pid(): Promise<number>;
  /** On the same data and port again, after it was killed or shut down. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Settings {
  serverId: number;
  flags: readonly string[];
  lowerCaseTableNames?: 0 | 1;
  certificateNames?: readonly [string, ...string[]];
}

/** Probed once for each test file. */
let mysqld: Promise<Program> | undefined;
let temporal: Promise<Program> | undefined;

/** Nobody needs the data of a test's server any more: a clean shutdown would only take its second. */
const NO_GRACE = 0;

const common = [
  '--gtid-mode=ON',
  '--enforce-gtid-consistency=ON',
  '--binlog-row-image=FULL',
  '--innodb-buffer-pool-size=128M',
  '--innodb-flush-log-at-trx-commit=2',
  '--sync-binlog=0',
  '--local-infile=ON',
  '--max-connections=300',
];

/**
 * Two real servers in a temporary folder; they end with this process, however it ends. The source
 * behaves like 8.x in leaving foreign-key cascades out of its binlog, the target takes bulk loads
 * and routines.
 */
export async function startMysqlPair(
  options: {
    sourceFlags?: string[];
    targetFlags?: string[];
    targetLowerCaseTableNames?: 0 | 1;
  } = {},
): Promise<{
  source: Endpoint;
  target: Endpoint;
  sourceServer: TestMysql;
  targetServer: TestMysql;
  stop(): Promise<void>;
}> {
  const [sourceServer, targetServer] = await Promise.all([
    start({ serverId: 1, flags: options.sourceFlags ?? [] }),
    start({
      serverId: 2,
      flags: ['--log-bin-trust-function-creators=ON', ...(options.targetFlags ?? [])],
      lowerCaseTableNames: options.targetLowerCaseTableNames ?? 0,
    }),
  ]);
  return {
    source: sourceServer.endpoint,
    target: targetServer.endpoint,
    sourceServer,
    targetServer,
    stop: async () => {
      await Promise.all([sourceServer.stop(), targetServer.stop()]);
    },
  };
}

/** One real server; see startMysqlPair. */
export function startMysql(
  flags: string[] = [],
  certificateNames: readonly [string, ...string[]] = ['localhost'],
): Promise<TestMysql> {
  return start({ serverId: 1, flags, certificateNames });
}

async function start({
  serverId,
  flags,
  lowerCaseTableNames,
  certificateNames = ['localhost'],
}: Settings): Promise<TestMysql> {
  const folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  const program = await (mysqld ??= resolveMysqld());
  const authority = await createAuthority('Skyferry test authority');
  await writeServerCertificate(authority, certificateNames, folder);
  const password = randomBytes(12).toString('hex');
  const options = {
    program,
    cache: cacheFolder(),
    folder,
    life: { mode: 'bound', removeAfter: folder },
    ...(lowerCaseTableNames !== undefined && { lowerCaseTableNames }),
    flags: [
      ...common,
      `--server-id=${serverId}`,
      ...(program.flags.has('innodb-native-foreign-keys')
        ? ['--innodb-native-foreign-keys=ON']
        : []),
      ...serverCertificateFlags(folder),
      ...flags,
    ],
    firstStatements: [
      `CREATE USER root@'%' IDENTIFIED BY '${password}'`,
      "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION",
      'DROP USER root@localhost',
    ],
    endpoint: {
      host: 'localhost',
      port: 0,
      user: 'root',
      password,
      tls: { mode: 'verify-identity', ca: authority.certificate },
    },
  } as const;
  let server = await startMysqlServer(options);
  const { endpoint } = server;
  return {
    endpoint,
    pid: () => server.pid(),
    restart: async () => {
      await server.process.stop(STOP_GRACE_MS);
      server = await startMysqlServer({ ...options, port: endpoint.port });
    },
    stop: async () => {
      await server.process.stop(NO_GRACE);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Temporal server in memory, without UI, with the search attributes that Skyferry uses. */
export async function startTemporal(): Promise<{ address: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  const program = await (temporal ??= resolveTemporal());
  const server = await startTemporalServer({
    program,
    folder,
    ui: false,
    persisted: false,
    life: { mode: 'bound', removeAfter: folder },
  });
  return {
    address: server.address,
    stop: async () => {
      await server.process.stop(NO_GRACE);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
