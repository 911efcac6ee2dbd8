import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireConfig } from '../../src/config/parse.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection, withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { isFailure } from '../../src/failures.ts';
import { down, reset } from '../../src/sandbox/down.ts';
import { identify } from '../../src/sandbox/process/identity.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { configuredServers } from '../../src/sandbox/sandbox.ts';
import { createAuthority, writeServerCertificate } from '../../src/sandbox/servers/certificates.ts';
import { status } from '../../src/sandbox/status.ts';
import type { UpOptions } from '../../src/sandbox/up.ts';
import { up } from '../../src/sandbox/up.ts';

const schemas = ['trade_desk', 'Batch'];
let folder: string;
let options: UpOptions;
let sandbox: Sandbox;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-sandbox-'));
  options = { stateDir: join(folder, 'state'), schemas, life: 'bound', progress: () => {} };
  sandbox = await up(options);
  await on(sandbox.source.superuser, async (connection) => {
    await connection.query('CREATE DATABASE trade_desk');
    await connection.query('CREATE DATABASE tradeXdesk');
    await connection.query('CREATE TABLE trade_desk.t (id int PRIMARY KEY)');
    await connection.query('CREATE TABLE tradeXdesk.t (id int PRIMARY KEY)');
  });
});
afterAll(async () => {
  await reset(options);
  await rm(folder, { recursive: true, force: true });
});

const on = <T>(endpoint: Endpoint, run: (connection: Connection) => Promise<T>) =>
  withConnection(endpoint, {}, run);

/** Errno of the refusal; 0 when it was not refused. */
async function errnoOf(endpoint: Endpoint, ...statements: string[]): Promise<number | string> {
  try {
    await on(endpoint, async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
    return 0;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error.detail.errno ?? error.code;
  }
}

async function variables(endpoint: Endpoint, names: string[]): Promise<Record<string, string>> {
  const rows = await on(endpoint, (connection) =>
    connection.query(
      `SHOW GLOBAL VARIABLES WHERE variable_name IN (${names.map((name) => `'${name}'`).join()})`,
    ),
  );
  return Object.fromEntries(rows.map((row) => [row['Variable_name'], String(row['Value'])]));
}

const pids = async () => (await status(options)).servers.map((server) => server.pid);

describe('up and down', () => {
  it('do no harm when called twice', async () => {
    const before = await pids();
    const again = await up(options);
    expect(again.state).toEqual(sandbox.state);
    expect(await pids()).toEqual(before);
  });

  it('refuse other parameters for a sandbox that exists', async () => {
    await expect(up({ ...options, target: { localInfile: false } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('bring back a server that was killed, its data kept, the others left alone', async () => {
    const before = await pids();
    const pid = Number(await readFile(join(folder, 'state/source/mysqld.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await status(options)).state).toBe('partly-up');
    await up(options);
    const after = await pids();
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    expect(after[1]).not.toBe(before[1]);
    expect(await errnoOf(sandbox.source.migration, 'SELECT * FROM trade_desk.t')).toBe(0);
  });

  it('leave no process, and find everything again on the same ports', async () => {
    const running = await pids();
    expect(await down(options)).toEqual(['temporal', 'source', 'target']);
    expect(running.map((pid) => identify(pid ?? 0))).toEqual([null, null, null]);
    expect(await down(options)).toEqual([]);
    expect((await status(options)).state).toBe('down');
    const again = await up(options);
    expect(again.state.ports).toEqual(sandbox.state.ports);
    expect(await errnoOf(sandbox.source.app, 'SELECT * FROM trade_desk.t')).toBe(0);
  });
});

describe('secrets', () => {
  it('are files of their own that only their owner reads', async () => {
    const names = await readdir(sandbox.secretsDir);
    expect(names.sort()).toEqual([
      'app',
      'ca.pem',
      'source-admin',
      'source-fence',
      'source-migration',
      'target-admin',
      'target-migration',
    ]);
    const modes = await Promise.all(
      names.map(async (name) => (await stat(join(sandbox.secretsDir, name))).mode & 0o777),
    );
    expect(new Set(modes)).toEqual(new Set([0o600]));
    expect((await stat(sandbox.secretsDir)).mode & 0o777).toBe(0o700);
  });

  it('are nowhere else in the folder, nor in the state', async () => {
    const text = await readFile(join(folder, 'state/sandbox.json'), 'utf8');
    expect(text).not.toContain(sandbox.source.admin.password);
    expect(await readdir(join(folder, 'state/source'))).not.toContain('first.sql');
  });

  it('stand in a configuration as references', () => {
    const config = requireConfig({ name: 'sandbox', schemas, ...configuredServers(sandbox) });
    expect(config.source.password).toBe('${file:source-migration}');
    expect(config.target.tls.ca).toBe('${file:ca.pem}');
  });
});

describe('the source, like RDS', () => {
  it('has its parameters', async () => {
    const names = ['binlog_format', 'binlog_row_image', 'gtid_mode', 'enforce_gtid_consistency'];
    expect(await variables(sandbox.source.admin, names)).toEqual({
      binlog_format: 'ROW',
      binlog_row_image: 'FULL',
      gtid_mode: 'ON',
      enforce_gtid_consistency: 'ON',
    });
  });

  it("keeps its preparation out of the binlog: a migration does not see the sandbox's own accounts", async () => {
    const rows = await on(sandbox.source.admin, (connection) =>
      connection.query("SHOW BINLOG EVENTS IN 'mysql-bin-changelog.000001'"),
    );
    expect(rows.length).toBeGreaterThan(0);
    const info = rows.map((row) => String(row['Info'])).join('\n');
    expect(info).not.toMatch(/CREATE USER|rds_configuration/);
  });

  it("gives its admin no more than RDS's", async () => {
    const { admin } = sandbox.source;
    expect(await errnoOf(admin, 'SET GLOBAL super_read_only = 1')).toBe(1227);
    expect(await errnoOf(admin, 'FLUSH TABLES WITH READ LOCK')).toBe(1227);
    expect(await errnoOf(admin, 'SHUTDOWN')).toBe(1227);
    expect(await errnoOf(admin, "SET GLOBAL binlog_format = 'ROW'")).toBe(1227);
  });

  it('keeps the retention that its procedures set', async () => {
    const { migration } = sandbox.source;
    const set = (value: string) => `CALL mysql.rds_set_configuration(${value})`;
    expect(await errnoOf(migration, set("'binlog retention hours', 168"))).toBe(0);
    const rows = await on(migration, (connection) =>
      connection.query('CALL mysql.rds_show_configuration'),
    );
    expect(JSON.stringify(rows)).toContain('"name":"binlog retention hours","value":"168"');
    expect(await errnoOf(migration, set("'binlog retention hours', 1000"))).toBe(1644);
    expect(await errnoOf(migration, set("'no such thing', 1"))).toBe(1644);
    expect(await errnoOf(migration, set("'binlog retention hours', NULL"))).toBe(0);
    expect(await errnoOf(migration, 'UPDATE mysql.rds_configuration SET value = 1')).toBe(1142);
  });

  it('lets the migration account read its schemas and the binlog, and nothing more', async () => {
    const { migration } = sandbox.source;
    expect(await errnoOf(migration, 'SELECT * FROM trade_desk.t')).toBe(0);
    expect(await errnoOf(migration, 'LOCK TABLES trade_desk.t READ')).toBe(0);
    expect(await errnoOf(migration, 'SHOW BINARY LOG STATUS')).toBe(0);
    expect(await errnoOf(migration, 'INSERT INTO trade_desk.t VALUES (1)')).toBe(1142);
    // `_` in a granted name is a pattern unless it is escaped.
    expect(await errnoOf(migration, 'SELECT * FROM tradeXdesk.t')).toBe(1142);
    expect(await errnoOf(migration, 'SELECT * FROM mysql.user')).toBe(1142);
    expect(await errnoOf(migration, 'SET GLOBAL read_only = 1')).toBe(1227);
  });

  it('lets the fence account stop writes and see who writes, and read no row', async () => {
    const { fence, app } = sandbox.source;
    expect(await errnoOf(fence, 'SET GLOBAL super_read_only = 1', 'XA RECOVER')).toBe(0);
    expect(await errnoOf(app, 'INSERT INTO trade_desk.t VALUES (1)')).toBe(1290);
    const open = ['SET GLOBAL super_read_only = 0', 'SET GLOBAL read_only = 0'];
    expect(await errnoOf(fence, ...open, 'SHOW PROCESSLIST')).toBe(0);
    expect(await errnoOf(app, 'INSERT INTO trade_desk.t VALUES (1)')).toBe(0);
    expect(await errnoOf(fence, 'SELECT * FROM trade_desk.t')).toBe(1142);
  });
});

describe('the target, like Azure', () => {
  it('has its parameters', async () => {
    expect(
      await variables(sandbox.target.admin, [
        'sql_generate_invisible_primary_key',
        'lower_case_table_names',
        'require_secure_transport',
        'event_scheduler',
        'local_infile',
        'log_bin_trust_function_creators',
      ]),
    ).toEqual({
      sql_generate_invisible_primary_key: 'ON',
      lower_case_table_names: '1',
      require_secure_transport: 'ON',
      event_scheduler: 'OFF',
      local_infile: 'ON',
      log_bin_trust_function_creators: 'ON',
    });
  });

  it("gives its admin no more than Azure's", async () => {
    const { admin } = sandbox.target;
    expect(await errnoOf(admin, 'SET GLOBAL local_infile = 1')).toBe(1227);
    expect(await errnoOf(admin, 'SET SESSION sql_generate_invisible_primary_key = 0')).toBe(0);
    expect(await errnoOf(admin, 'SET GLOBAL super_read_only = 0')).toBe(1227);
    const named = "CREATE DEFINER='somebody'@'%' PROCEDURE trade_desk.p() SELECT 1";
    expect(await errnoOf(admin, 'CREATE DATABASE trade_desk', named)).toBe(1227);
  });

  it('lets the migration account build its schemas and the checkpoint, and nothing else', async () => {
    const { migration } = sandbox.target;
    const allowed = [
      'CREATE DATABASE batch',
      'SET SESSION sql_generate_invisible_primary_key = 0, sql_log_bin = 1',
      'CREATE TABLE batch.Mixed (a int) ',
      'CREATE TRIGGER batch.tr BEFORE INSERT ON batch.mixed FOR EACH ROW SET NEW.a = 1',
      'CREATE FUNCTION batch.f() RETURNS int DETERMINISTIC RETURN 1',
      'CREATE VIEW batch.v AS SELECT a, batch.f() FROM batch.mixed',
      'SELECT * FROM batch.v',
      'CREATE DATABASE skyferry',
      'DROP DATABASE batch',
    ];
    expect(await errnoOf(migration, ...allowed)).toBe(0);
    expect(await errnoOf(migration, 'CREATE DATABASE elsewhere')).toBe(1044);
    expect(await errnoOf(migration, "CREATE USER x IDENTIFIED BY 'y'")).toBe(1227);
    expect(await errnoOf(migration, 'SET GLOBAL event_scheduler = ON')).toBe(1227);
  });

  it('takes no connection in the clear', async () => {
    const clear: Endpoint = { ...sandbox.target.admin, tls: { mode: 'disabled' } };
    expect(await errnoOf(clear, 'SELECT 1')).toBe(3159);
  });
});

describe('TLS', () => {
  it('is refused by who does not know the authority', async () => {
    const stranger: Endpoint = { ...sandbox.target.admin, tls: { mode: 'verify-identity' } };
    expect(await errnoOf(stranger, 'SELECT 1')).toBe('CONNECTION_LOST');
    const { certificate } = await createAuthority('another');
    const other: Endpoint = {
      ...stranger,
      tls: { mode: 'verify-identity', ca: certificate },
    };
    expect(await errnoOf(other, 'SELECT 1')).toBe('CONNECTION_LOST');
  });

  it('is refused when the certificate is for another host, though the authority is right', async () => {
    const authority = await createAuthority('the right one');
    const server = join(folder, 'state/target');
    const files = ['ca.pem', 'server-cert.pem', 'server-key.pem'].map((name) => join(server, name));
    const kept = await Promise.all(files.map((file) => readFile(file)));
    // On a connection made before: a new one would be refused.
    await using connection = await openConnection(sandbox.target.superuser);
    const login: Endpoint = {
      ...sandbox.target.admin,
      tls: { mode: 'verify-identity', ca: authority.certificate },
    };
    try {
      await writeServerCertificate(authority, ['localhost'], server);
      await connection.query('ALTER INSTANCE RELOAD TLS');
      expect(await errnoOf(login, 'SELECT 1')).toBe(0);
      await writeServerCertificate(authority, ['elsewhere.example'], server);
      await connection.query('ALTER INSTANCE RELOAD TLS');
      expect(await errnoOf(login, 'SELECT 1')).toBe('CONNECTION_LOST');
    } finally {
      await Promise.all(files.map((file, i) => writeFile(file, kept[i] ?? '')));
      await connection.query('ALTER INSTANCE RELOAD TLS');
    }
  });
});

it('can be made with the settings that a migration cannot use', async () => {
  const stateDir = join(folder, 'strict');
  const target = { localInfile: false, logBinTrustFunctionCreators: false };
  const strict = await up({ ...options, stateDir, target });
  try {
    const names = ['local_infile', 'log_bin_trust_function_creators'];
    expect(await variables(strict.target.admin, names)).toEqual({
      local_infile: 'OFF',
      log_bin_trust_function_creators: 'OFF',
    });
    const statements = [
      'CREATE DATABASE trade_desk',
      'CREATE FUNCTION trade_desk.f() RETURNS int DETERMINISTIC RETURN 1',
    ];
    expect(await errnoOf(strict.target.migration, ...statements)).toBe(1419);
  } finally {
    await writeFile(join(stateDir, 'mine'), 'not of the sandbox');
    await reset({ stateDir });
  }
  expect((await status({ stateDir })).state).toBe('absent');
  expect((await readdir(stateDir)).sort()).toEqual(['mine']);
});
