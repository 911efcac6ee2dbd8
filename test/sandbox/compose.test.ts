import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withConnection } from '../../src/mysql/connection.ts';
import { writeComposeFiles } from '../../src/sandbox/compose-files.ts';
import { MYSQL_IMAGE } from '../../src/sandbox/resolver/docker-mysql.ts';
import { azureLikeFlags } from '../../src/sandbox/servers/azure-like-target.ts';
import { rdsLikeFlags } from '../../src/sandbox/servers/rds-like-source.ts';
import { searchAttributes } from '../../src/sandbox/servers/temporal-server.ts';
import { startMysql } from '../servers.ts';

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  ports?: string[];
  restart?: string;
  volumes?: string[];
}

let services: Record<string, Service>;
let volumes: Record<string, null>;

beforeAll(async () => {
  const text = await readFile('docker-compose.yml', 'utf8');
  ({ services, volumes } = parse(text, { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, null>;
  });
});

const service = (name: string) => services[name] ?? expect.fail(`no service ${name}`);
const oneShots = ['prepare', 'temporal-schema', 'temporal-namespace'];

describe('docker-compose.yml', () => {
  it('has Temporal with its UI and PostgreSQL, two MySQL servers and a worker', () => {
    expect(Object.keys(services).sort()).toEqual([
      'postgresql',
      'prepare',
      'source',
      'target',
      'temporal',
      'temporal-namespace',
      'temporal-schema',
      'temporal-ui',
      'worker',
    ]);
    expect(JSON.stringify(services)).not.toContain('auto-setup');
  });

  it('pins every image to a full version', async () => {
    const pinned = /^[a-z/-]+:\d+\.\d+(\.\d+)?(-|$)/;
    const loose = Object.values(services).filter(({ image }) => !pinned.test(image ?? ''));
    expect(loose).toEqual([]);
    expect(service('source').image).toBe(MYSQL_IMAGE);
    const dockerfile = await readFile('Dockerfile', 'utf8');
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]);
    expect(bases).not.toHaveLength(0);
    // Alpine lacks glibc, which Temporal's core needs.
    for (const base of bases) expect(base).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
  });

  it('checks the health of everything that stays up', () => {
    const staying = Object.entries(services).filter(
      ([, { healthcheck, restart }]) =>
        healthcheck !== undefined && healthcheck.test.length > 1 && restart === 'unless-stopped',
    );
    const names = staying.map(([name]) => name);
    expect([...names, ...oneShots].sort()).toEqual(Object.keys(services).sort());
  });

  it('waits for one-shots to complete and for servers to be healthy', () => {
    const dependencies = Object.values(services).flatMap((s) => Object.entries(s.depends_on ?? {}));
    expect(dependencies.length).toBeGreaterThan(8);
    for (const [name, { condition }] of dependencies) {
      expect(services).toHaveProperty(name);
      const oneShot = oneShots.includes(name);
      expect({ name, condition }).toEqual({
        name,
        condition: oneShot ? 'service_completed_successfully' : 'service_healthy',
      });
    }
    expect(Object.keys(service('worker').depends_on ?? {}).sort()).toEqual([
      'source',
      'target',
      'temporal-namespace',
    ]);
  });

  it('publishes on the loopback only, and mounts only volumes that it declares', () => {
    for (const { ports = [], volumes: mounts = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      for (const mount of mounts) expect(Object.keys(volumes)).toContain(mount.split(':')[0]);
    }
  });

  it("gives the servers the sandbox's parameters", () => {
    const program = { flags: new Set<string>() };
    const parameters = { localInfile: true, logBinTrustFunctionCreators: true };
    expect(service('source').command).toEqual(expect.arrayContaining(rdsLikeFlags(program)));
    expect(service('target').command).toEqual(
      expect.arrayContaining(azureLikeFlags(program, parameters)),
    );
    expect(service('target').command).toContain('--lower-case-table-names=1');
  });

  it('registers the search attributes and points everybody at one Temporal server', () => {
    const command = service('temporal-namespace').command?.join(' ') ?? '';
    for (const [name, type] of Object.entries(searchAttributes)) {
      expect(command).toContain(`--name ${name} --type ${type}`);
    }
    for (const name of ['worker', 'temporal-ui', 'temporal-namespace']) {
      expect(service(name).environment?.['TEMPORAL_ADDRESS']).toBe('temporal:7233');
    }
  });

  it('holds no password of a MySQL account', () => {
    const variables = ['source', 'target', 'worker', 'prepare'].flatMap((name) =>
      Object.entries(service(name).environment ?? {}),
    );
    const passwords = variables.filter(([name]) => name.includes('PASSWORD'));
    expect(passwords.map(([name]) => name)).toEqual(
      Array.from({ length: 2 }, () => 'MYSQL_ROOT_PASSWORD_FILE'),
    );
  });
});

describe('what compose starts from', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skyferry-compose-'));
    await writeComposeFiles(folder, { owner: process.getuid?.() ?? 0 });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is kept by a second run', async () => {
    const files = ['source/accounts.sql', 'source/root-password', 'secrets/ca.pem'];
    const read = () => Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    const before = await read();
    await writeComposeFiles(folder, { owner: process.getuid?.() ?? 0 });
    expect(await read()).toEqual(before);
  });

  it('lets only its owner read what is secret', async () => {
    const files = ['source/accounts.sql', 'target/server-key.pem', 'secrets/source-fence'];
    const modes = await Promise.all(
      files.map(async (file) => (await stat(join(folder, file))).mode & 0o777),
    );
    expect(modes).toEqual([0o600, 0o600, 0o600]);
  });

  it('is SQL that a server takes', async () => {
    const server = await startMysql();
    try {
      for (const name of ['source', 'target']) {
        const script = await readFile(join(folder, name, 'accounts.sql'), 'utf8');
        const statements = script.replace(/^DELIMITER \/\/\n/, '').split(' //\n');
        await withConnection(server.endpoint, {}, async (connection) => {
          for (const user of ['admin', 'app']) {
            await connection.query(`DROP USER IF EXISTS '${user}'@'%'`);
          }
          for (const statement of statements) {
            if (statement.trim() !== '') await connection.query(statement);
          }
        });
      }
      const users = await withConnection(server.endpoint, {}, (connection) =>
        connection.query('SELECT user FROM mysql.user WHERE user LIKE ? ORDER BY 1', ['skyferry%']),
      );
      expect(users.map((row) => row['user'])).toEqual([
        'skyferry_fence',
        'skyferry_src',
        'skyferry_tgt',
      ]);
    } finally {
      await server.stop();
    }
  });
});
