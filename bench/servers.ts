import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../src/mysql/connection.ts';
import { openConnection, withConnection } from '../src/mysql/connection.ts';
import type { Endpoint } from '../src/mysql/endpoint.ts';
import { cacheFolder } from '../src/sandbox/cache.ts';
import type { Program } from '../src/sandbox/resolver/program.ts';
import {
  AUTHORITY_FILE,
  createAuthority,
  serverCertificateFlags,
  writeServerCertificate,
} from '../src/sandbox/servers/certificates.ts';
import type { MysqlServer } from '../src/sandbox/servers/mysql-server.ts';
import { startMysqlServer, STOP_GRACE_MS } from '../src/sandbox/servers/mysql-server.ts';

/** One server of the bench with a session for preparing and looking. */
export interface BenchServer {
  readonly endpoint: Endpoint;
  /** Its session leaves no trace in the binlog. */
  readonly admin: Connection;
  readonly pid: number;
  readonly authorityFile: string;
  /** Login and TLS for client programs; the files hold the password. */
  readonly clientFile: string;
  readonly mariadbClientFile: string;
  stop(): Promise<void>;
}

const SERVER_IDS = { source: 1, target: 2 };

/** Both alike: a buffer pool that holds everything, the binlog on, no fsync for each commit. */
const flags = [
  '--gtid-mode=ON',
  '--enforce-gtid-consistency=ON',
  '--innodb-buffer-pool-size=1G',
  '--innodb-redo-log-capacity=1G',
  '--innodb-flush-log-at-trx-commit=2',
  '--sync-binlog=0',
  '--local-infile=ON',
  '--require-secure-transport=ON',
  '--skip-replica-start=ON',
  '--relay-log=relay',
];

/** Ends with this process, however that ends. */
export async function startServer(
  name: 'source' | 'target',
  program: Program,
  parent: string,
): Promise<BenchServer> {
  const folder = join(parent, name);
  await mkdir(folder);
  const authority = await createAuthority('Skyferry bench authority');
  await writeServerCertificate(authority, ['localhost'], folder);
  const password = randomBytes(12).toString('hex');
  const server = await startMysqlServer({
    program,
    cache: cacheFolder(),
    folder,
    life: { mode: 'bound', removeAfter: folder },
    flags: [...flags, `--server-id=${SERVER_IDS[name]}`, ...serverCertificateFlags(folder)],
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
  });
  const authorityFile = join(folder, AUTHORITY_FILE);
  return {
    endpoint: server.endpoint,
    admin: await openConnection(server.endpoint, { session: ['SET SESSION sql_log_bin = 0'] }),
    pid: await server.pid(),
    authorityFile,
    ...(await writeClientFiles(folder, server, authorityFile)),
    stop: () => server.process.stop(STOP_GRACE_MS),
  };
}

/** Two files, because MariaDB's library, which mydumper uses, spells two options in its own way. */
async function writeClientFiles(
  folder: string,
  { endpoint }: MysqlServer,
  authorityFile: string,
): Promise<{ clientFile: string; mariadbClientFile: string }> {
  const login = [
    '[client]',
    `host=${endpoint.host}`,
    `port=${endpoint.port}`,
    `user=${endpoint.user}`,
    `password=${endpoint.password}`,
    `ssl-ca=${authorityFile}`,
  ];
  const write = async (name: string, further: readonly string[]): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, [...login, ...further, ''].join('\n'), { mode: 0o600 });
    return file;
  };
  return {
    clientFile: await write('client.cnf', ['protocol=tcp', 'ssl-mode=VERIFY_IDENTITY']),
    mariadbClientFile: await write('mariadb.cnf', ['protocol=1', 'ssl-verify-server-cert']),
  };
}

/** Writes out what earlier work left in memory, so that nobody pays for somebody else's pages. */
export async function settle({ admin }: BenchServer, signal: AbortSignal): Promise<void> {
  // The low-water mark may not stand above it: it goes along, and must come back too.
  await admin.query(
    'SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_max_dirty_pages_pct = 0',
  );
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const [row] = await admin.query("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'");
    if (Number(row?.['Value']) < 100) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await admin.query(
    'SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT, GLOBAL innodb_max_dirty_pages_pct_lwm = DEFAULT',
  );
}

/** Each statement list on a session of its own, all at once. */
export async function runStreams(
  endpoint: Endpoint,
  streams: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    streams.map((statements) =>
      withConnection(endpoint, { signal }, async (connection) => {
        for (const statement of statements) await connection.query(statement);
      }),
    ),
  );
}
