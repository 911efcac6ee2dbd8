import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SkyferryFailure } from '../../../src/failures.ts';
import { freePort } from '../../../src/sandbox/process/free-port.ts';
import { IDENTITY_FILE } from '../../../src/sandbox/process/identity.ts';
import type { LaunchedProcess, Life } from '../../../src/sandbox/process/launch.ts';
import { launch } from '../../../src/sandbox/process/launch.ts';
import type { Program } from '../../../src/sandbox/resolver/program.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;
export const BIND_STOP_GRACE_MS = 10_000;

export interface TsigKey {
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
  /** Base64. */
  readonly secret: string;
}

export interface BindServerOptions {
  program: Program;
  /** Holds configuration, zone file, journal and log of this one server. */
  folder: string;
  /** A free port of 127.0.0.1 when none is given; UDP and TCP. */
  port?: number;
  /** Served as its primary. Its file is written when the folder has none, else it goes on as it was left. */
  zone: string;
  /** Lines of the zone file below SOA and NS, e.g. `app 60 CNAME old.example.` */
  records: readonly string[];
  /** May change CNAME and TXT records of the zone, and nothing else. */
  key: TsigKey;
  life: Life;
}

export interface BindServer {
  readonly process: LaunchedProcess;
  readonly host: string;
  readonly port: number;
}

export function randomTsigKey(name: string): TsigKey {
  return { name, algorithm: 'hmac-sha256', secret: randomBytes(32).toString('base64') };
}

/** A real BIND on the loopback without root's rights; resolves when it serves the zone. */
export async function startBindServer(options: BindServerOptions): Promise<BindServer> {
  const { program, folder, life } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'zone.db'), zoneFile(options), { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const [logFile, configFile] = [join(folder, 'named.log'), join(folder, 'named.conf')];
    await rm(logFile, { force: true });
    // It holds the key.
    await writeFile(configFile, configuration(options, port), { mode: 0o600 });
    const command = [...program.command([folder]), '-g', '-4', '-n', '1', '-c', configFile];
    const server = launch({ command, logFile, life, identityFile: join(folder, IDENTITY_FILE) });
    const log = await untilRunning(server, logFile);
    if (log === null) return { process: server, host: HOST, port };
    await server.stop(BIND_STOP_GRACE_MS);
    // Somebody else was faster with that port.
    if (/address (already )?in use/.test(log) && options.port === undefined && attempt < 5)
      continue;
    throw new SkyferryFailure('PROGRAM_MISSING', `named did not start: ${log.slice(-600)}`, {
      next: `read ${logFile}`,
    });
  }
}

/** named says so itself, after it loaded its zones; on a port it could not have it goes on without. */
async function untilRunning(server: LaunchedProcess, logFile: string): Promise<string | null> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const ended = server.ended();
    const log = await readFile(logFile, 'utf8').catch(() => '');
    if (/address (already )?in use/.test(log)) return log;
    if (/ running$/m.test(log)) return null;
    if (ended !== null || Date.now() > deadline) return `${log}\n${ended ?? 'no answer'}`;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Without `controls` and with its files in its own folder, named needs no rights at all. */
function configuration({ folder, zone, key }: BindServerOptions, port: number): string {
  const inFolder = (name: string) => JSON.stringify(join(folder, name));
  return `
options {
  directory ${JSON.stringify(folder)};
  listen-on port ${port} { ${HOST}; };
  listen-on-v6 { none; };
  pid-file ${inFolder('named.pid')};
  session-keyfile ${inFolder('session.key')};
  managed-keys-directory ${JSON.stringify(folder)};
  allow-query { localhost; };
  allow-transfer { none; };
  recursion no;
  dnssec-validation no;
  notify no;
  max-cache-size 8M;
};
controls {};
key ${JSON.stringify(key.name)} { algorithm ${key.algorithm}; secret "${key.secret}"; };
zone ${JSON.stringify(zone)} {
  type primary;
  file "zone.db";
  update-policy { grant ${JSON.stringify(key.name)} zonesub CNAME TXT; };
};
`;
}

function zoneFile({ records }: BindServerOptions): string {
  const head = ['$TTL 60', '@ SOA ns hostmaster 1 3600 600 86400 60', '@ NS ns', 'ns A 127.0.0.1'];
  return [...head, ...records, ''].join('\n');
}
