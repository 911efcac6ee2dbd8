import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { registerReport } from '../../src/cli/commands/report.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { startMysqlPair } from '../servers.ts';
import { Lab } from '../workflows/lab.ts';
import { pairConfig, pairSecrets, writtenPairConfig } from '../workflows/pair-config.ts';

let lab: Lab;
let folder: string;
let pair: Awaited<ReturnType<typeof startMysqlPair>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  [lab, pair] = await Promise.all([Lab.open(), startMysqlPair()]);
  vi.stubEnv('TEMPORAL_ADDRESS', lab.address);
  await withConnection(pair.source, {}, async (c) => {
    await c.query('CREATE DATABASE shop');
    await c.query('CREATE TABLE shop.tag (name varchar(50) PRIMARY KEY, n int)');
    await c.query("INSERT INTO shop.tag VALUES ('red', 1), ('green', 2)");
    await c.query('CREATE TABLE shop.bytes (b tinyblob)');
    await c.query("INSERT INTO shop.bytes VALUES ('x')");
    await c.query('CREATE TABLE shop.document (id int PRIMARY KEY, j json)');
    await c.query('INSERT INTO shop.document SELECT 1, JSON_ARRAY(b) FROM shop.bytes');
    await c.query('DROP TABLE shop.bytes');
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lab[Symbol.asyncDispose]();
  await pair.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the command prints, without the colours that CI=1 and FORCE_COLOR ask for. */
async function report(...words: string[]): Promise<string> {
  const program = new Command('skyferry').option('--json');
  registerReport(program);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(['node', 'skyferry', 'report', ...words]);
    return stripVTControlCharacters(printed.mock.calls.map(([chunk]) => String(chunk)).join(''));
  } finally {
    printed.mockRestore();
  }
}

test('rows that differ are named in every format from the target, and never enter the history', async () => {
  const secrets = pairSecrets(pair);
  const run = await lab.startReal({ switchDirectories: [] }, secrets, (name) =>
    pairConfig(name, pair, '/nowhere'),
  );
  await run.until(({ milestones }) => milestones.some(({ text }) => text === '3 rows copied'));
  await withConnection(pair.target, {}, (c) =>
    c.query("INSERT INTO shop.tag VALUES ('<b>stray</b>', 3)"),
  );
  const { name, failure } = await run.until(({ phase }) => phase === 'parked', 90_000);
  expect(failure).toMatchObject({ code: 'ROWS_DIFFER', message: '1 rows differ in shop.tag' });
  const file = join(folder, 'skyferry.yaml');
  await writeFile(file, stringify(writtenPairConfig(name, pair, '/nowhere')));

  const unnamed = await report('-c', file);
  expect(unnamed).toContain('ROWS_DIFFER: 1 rows differ in shop.tag\n  safe: the source takes');
  expect(unnamed).toContain('not named here: ${env:');
  expect(unnamed).toContain("FROM skyferry.migration WHERE name = 'run-1'");
  expect(unnamed).not.toContain('stray');

  for (const [variable, value] of Object.entries(secrets)) vi.stubEnv(variable, value);
  const text = await report('-c', file);
  expect(text).toMatch(/extra shop\.tag .*<b>stray<\/b>/);
  expect(text).toContain('shop.document: 1 JSON documents hold a scalar of a type');
  expect(text).toMatch(/● built-in .*native .*azure-dms/);
  expect(text).toMatch(/What was done\n(.*\n)* +\d{4}-\S+Z {2}3 rows copied\n/);
  expect(text).toContain('✗ azure-dms: target.kind is mysql');
  const json = JSON.parse(await report('-c', file, '--format', 'json')) as {
    data: { rows: unknown };
  };
  expect(json.data.rows).toMatchObject({
    named: true,
    differing: [{ table: 'shop.tag', kind: 'extra', key: expect.stringContaining('stray') }],
  });
  await report('-c', file, '--format', 'html', '-o', join(folder, 'report.html'));
  const html = await readFile(join(folder, 'report.html'), 'utf8');
  expect(html).toContain('&lt;b&gt;stray&lt;/b&gt;');
  expect(html).not.toContain('<b>stray');
  expect(html).toContain('<p class="bad">ROWS_DIFFER: 1 rows differ in shop.tag<br>');
  expect(html).toContain('shop.document: 1 JSON documents');
  expect(html).toContain('<td>3 rows copied</td>');
  expect(html).toContain('<th>● built-in</th><th>native</th><th>azure-dms</th>');

  expect(await run.historyText()).not.toContain('stray');
}, 180_000);
