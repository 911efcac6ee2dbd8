import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfigText } from '../../src/config/load.ts';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import { runPreflight } from '../../src/preflight/run.ts';
import { startMysqlPair } from '../servers.ts';

let pair: Awaited<ReturnType<typeof startMysqlPair>>;
const { signal } = new AbortController();

beforeAll(async () => {
  pair = await startMysqlPair({
    targetLowerCaseTableNames: 1,
    targetFlags: ['--server-id=1'],
  });
  await run(pair.source, [
    'CREATE DATABASE shop',
    'CREATE TABLE shop.good (id int PRIMARY KEY)',
    'CREATE DATABASE elsewhere',
    'CREATE TABLE elsewhere.t (id int PRIMARY KEY)',
    "CREATE USER poor@'%' IDENTIFIED BY 'p'",
    "GRANT REPLICATION SLAVE, CREATE USER ON *.* TO poor@'%'",
  ]);
  await run(pair.target, ["CREATE USER poor@'%' IDENTIFIED BY 'p'"]);
});
afterAll(() => pair.stop());

async function run(endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await using connection = await openConnection(endpoint);
  for (const sql of statements) await connection.query(sql);
}

function config(more: string): LocatedConfig {
  const located = locateWritten(
    parseConfigText(
      'skyferry.yaml',
      `name: shop
source: {host: localhost, port: 1, user: root, password: "\${env:A}"}
target: {host: localhost, port: 2, user: root, password: "\${env:A}"}
schemas: [shop]
${more}
`,
    ),
  );
  if (located === null) throw new Error('no address');
  return located;
}

const poor = (of: Endpoint): Endpoint => ({ ...of, user: 'poor', password: 'p' });

async function findings(
  more: string,
  { source = pair.source, target = pair.target } = {},
): Promise<Finding[]> {
  const all = await runPreflight({ config: config(more), source, target }, { signal });
  return all.filter(({ code }) => code.startsWith('native'));
}

test('another engine hears nothing of it', async () => {
  expect(await findings('engine: built-in')).toEqual([]);
});

test('where the servers cannot replicate, that is said by name', async () => {
  const found = await findings('engine: native');
  const blockers = found.filter(({ severity }) => severity === 'blocker');
  expect(blockers.map(({ object }) => object)).toEqual([
    'lower_case_table_names',
    'target server_id',
  ]);
  expect(found).toContainEqual(
    expect.objectContaining({ code: 'native-replication', object: 'native.sourceCaFile' }),
  );
});

test('accounts that may not set it up, and a replication that is there', async () => {
  const weak = await findings('engine: native', {
    source: poor(pair.source),
    target: poor(pair.target),
  });
  expect(weak).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ found: expect.stringContaining('may neither CHANGE') as string }),
      expect.objectContaining({
        found: expect.stringContaining('lacks REPLICATION CLIENT') as string,
      }),
      expect.objectContaining({ found: expect.stringContaining('WITH GRANT OPTION') as string }),
      expect.objectContaining({
        code: 'native-replication',
        severity: 'warning',
        object: 'source account root',
      }),
    ]),
  );
  const named = await findings(
    'engine: native\nnative: {account: {user: repl, password: "${env:B}"}}',
    { source: poor(pair.source) },
  );
  expect(JSON.stringify(named)).not.toContain('WITH GRANT OPTION');
  const unfiltered = await findings('engine: native', { target: poor(pair.target) });
  expect(unfiltered).toContainEqual(
    expect.objectContaining({ severity: 'blocker', object: 'elsewhere' }),
  );
  await run(pair.target, ["CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'other'"]);
  expect(await findings('engine: native')).toContainEqual(
    expect.objectContaining({ severity: 'blocker', found: 'replicates already (other:3306)' }),
  );
});
