import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfigText } from '../../src/config/load.ts';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { assessSource, runSourceChecks } from '../../src/preflight/run-source-checks.ts';
import { startMysql } from '../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
const signal = AbortSignal.timeout(60_000);

beforeAll(async () => {
  server = await startMysql();
  await withConnection(server.endpoint, {}, async (connection) => {
    for (const statement of [
      'CREATE DATABASE shop',
      'CREATE TABLE shop.orders (id int PRIMARY KEY)',
      'CREATE TABLE shop.Orders (id int PRIMARY KEY)',
      'CREATE TABLE shop.old (id int PRIMARY KEY) ENGINE=MyISAM',
      'CREATE DATABASE Shop',
    ]) {
      await connection.query(statement);
    }
  });
});
afterAll(() => server.stop());

function located(): LocatedConfig {
  const config = locateWritten(
    parseConfigText(
      'skyferry.yaml',
      `name: shop
source: {host: localhost, user: root, password: "\${env:A}", fence: {user: root, password: "\${env:A}"}}
target: {host: new, user: root, password: "\${env:A}"}
schemas: [shop]
`,
    ),
  );
  if (config === null) throw new Error('no address');
  return config;
}

test('what no target could change is found while the target is still to be made', async () => {
  const config = located();
  const { endpoint: source } = server;
  const look = async (lower: string) =>
    await runSourceChecks(
      { config, source, fence: source, fixed: { lower_case_table_names: lower } },
      { signal },
    );
  const findings = await look('1');
  const blocked = findings.filter(({ severity }) => severity === 'blocker');
  expect(blocked.map(({ code, object }) => [code, object])).toEqual([
    ['storage-engines', 'shop.old'],
    ['table-names', 'shop.Orders, shop.orders'],
  ]);
  expect(findings.map(({ code }) => code)).toContain('fence-kind');
  expect(findings).toContainEqual(expect.objectContaining({ code: 'versions', severity: 'ok' }));
  const same = (await look('0')).filter(({ code }) => code === 'table-names');
  expect(same).toMatchObject([{ severity: 'ok' }]);
});

test('transactions in two phases are warned of once there was one', async () => {
  const { endpoint: source } = server;
  const options = { config: located(), source, fence: source, fixed: {} };
  const severity = async () => {
    const findings = await runSourceChecks(options, { signal });
    return findings.find(({ code }) => code === 'xa-transactions')?.severity;
  };
  expect(await severity()).toBe('ok');
  await withConnection(source, {}, async (connection) => {
    for (const act of ['START', 'END', 'PREPARE', 'COMMIT'])
      await connection.query(`XA ${act} 'x'`);
  });
  expect(await severity()).toBe('warning');
});

test('schemas that would become one are refused, whatever they hold', async () => {
  const { endpoint: source } = server;
  const findings = await runSourceChecks(
    {
      config: { ...located(), schemas: ['shop', 'Shop'] },
      source,
      fence: source,
      fixed: { lower_case_table_names: '1' },
    },
    { signal },
  );
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'table-names', severity: 'blocker', object: 'shop, Shop' }),
  );
});

test('and the engines are compared as far as the source tells', async () => {
  const look = async (lower: string) =>
    await assessSource(
      { config: located(), source: server.endpoint, fixed: { lower_case_table_names: lower } },
      { signal },
    );
  const { engines, catalog, changesPerSecond } = await look('1');
  expect(engines.map(({ engine, possible }) => [engine, possible])).toEqual([
    ['built-in', true],
    ['native', false],
    ['azure-dms', false],
  ]);
  expect(catalog.tables.length).toBe(3);
  expect(changesPerSecond).toBeGreaterThanOrEqual(0);
  const [, native] = (await look('0')).engines;
  expect(native?.possible).toBe(true);
});
