import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/mysql/connection.ts';
import type { DemoResult, runDemo as RunDemo } from '../../src/sandbox/demo/run-demo.ts';
import { down, reset } from '../../src/sandbox/down.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { CA_FILE } from '../../src/sandbox/sandbox.ts';
import { layoutOf } from '../../src/sandbox/state.ts';
import { up } from '../../src/sandbox/up.ts';
import { workflowId } from '../../src/workflows/messages.ts';

/** Stands in rows that are copied, changed by the binlog, and found nowhere else. */
const MARKER = 'planted7f3a91';

let folder: string;
let sandbox: Sandbox;
let result: DemoResult;
const said: string[] = [];
/** What Temporal keeps of the run, payloads as the text that they hold. */
let kept: string;
let events: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-test-'));
  sandbox = await up({ stateDir: folder, life: 'bound', progress: () => {} });
  // The demo starts its programs from the built tree.
  const built = new URL('../../dist/sandbox/demo/run-demo.js', import.meta.url).href;
  const { runDemo } = (await import(built)) as { runDemo: typeof RunDemo };
  let planting: Promise<void> = Promise.resolve();
  result = await runDemo(sandbox, {
    scale: 0.2,
    rate: 40,
    seed: 7,
    killAt: () => 0.5,
    signal: new AbortController().signal,
    say: (line) => {
      said.push(line);
      if (line.startsWith('the application writes')) planting = plant();
      if (line.startsWith('full load done')) planting = planting.then(replant);
    },
  });
  await planting;
  await readHistory();
}, 240_000);
afterAll(async () => {
  await reset({ stateDir: folder });
  await rm(folder, { recursive: true, force: true });
});

test('every row arrived, though the worker was killed twice, and the ledger is intact', () => {
  const { report, application } = result.evidence;
  expect(result.kills).toMatchObject([
    { activity: 'copyTables', hit: true },
    { activity: 'awaitLag', hit: true },
  ]);
  expect(said.filter((line) => line.includes('SIGKILL'))).toEqual([
    expect.stringMatching(/during the full load/),
    expect.stringMatching(/while catching up/),
  ]);
  expect(report.status.phase).toBe('completed');
  expect(report.verification).toMatchObject({ equal: true, differing: 0 });
  expect(report.copy?.rows).toBeGreaterThan(5000);
  expect(application).toMatchObject({ ok: true });
  expect(application?.acknowledged).toBeGreaterThan(50);
  expect(result.ok).toBe(true);
});

test('what was planted in the rows arrived too', async () => {
  const rows = await withConnection(sandbox.target.superuser, {}, async (c) =>
    c.query('SELECT name FROM brokerage.customer WHERE email LIKE ?', [`${MARKER}%`]),
  );
  expect(rows).toEqual([{ name: `changed ${MARKER}` }, { name: `changed ${MARKER}` }]);
});

test('the history stays short', () => {
  expect(events).toBeGreaterThan(50);
  expect(events).toBeLessThan(500);
});

test('neither secrets nor row values are kept by Temporal, nor in the log of the worker', async () => {
  const log = await readFile(result.files.log('worker'), 'utf8');
  const database = join(layoutOf(folder).server.temporal, 'temporal.db');
  const stored = await Promise.all(
    ['', '-wal'].map(async (end) => await readFile(`${database}${end}`, 'latin1').catch(() => '')),
  );
  const places = { history: kept, log, 'database file': stored.join('') };
  // Each is where it would be found: names and references are kept, and are no secrets.
  expect(places.history).toContain('${file:source-migration}');
  expect(places['database file']).toContain('${file:source-migration}');
  expect(places.log).toContain('Worker state changed');
  const words = { ...(await secrets()), marker: MARKER };
  expect(Object.keys(words).length).toBeGreaterThan(7);
  const found = Object.entries(words).flatMap(([name, word]) =>
    Object.entries(places).flatMap(([place, text]) =>
      text.includes(word) ? [`${name} in the ${place}`] : [],
    ),
  );
  expect(found).toEqual([]);
});

test('nothing is left running', async () => {
  await down({ stateDir: folder });
  expect(await processesOf(folder)).toEqual([]);
});

/** Two people, one of whom is changed again and again while the migration runs. */
async function plant(): Promise<void> {
  await withConnection(sandbox.source.superuser, { database: 'brokerage' }, async (c) => {
    for (const n of [1, 2]) {
      await c.execute(
        'INSERT INTO customer (code, name, email, created_at) VALUES (?, ?, ?, NOW(6))',
        [`${MARKER}-${n}`, `name ${MARKER}`, `${MARKER}-${n}@example.org`],
      );
    }
  });
}

/** The same through the binlog. */
async function replant(): Promise<void> {
  await withConnection(sandbox.source.superuser, { database: 'brokerage' }, async (c) => {
    await c.execute('UPDATE customer SET name = ? WHERE email LIKE ?', [
      `changed ${MARKER}`,
      `${MARKER}%`,
    ]);
  });
}

async function readHistory(): Promise<void> {
  const connection = await Connection.connect({ address: sandbox.temporal.address });
  try {
    const handle = new Client({ connection }).workflow.getHandle(workflowId('demo'));
    const [history, description] = await Promise.all([handle.fetchHistory(), handle.describe()]);
    events = history.events?.length ?? 0;
    const { memo, searchAttributes, raw } = description;
    expect(searchAttributes).toMatchObject({ SkyferryPhase: ['completed'] });
    kept = [historyToJSON(history), JSON.stringify({ memo, searchAttributes, raw })]
      .join('\n')
      .replace(/"data":\s*"([^"]+)"/g, (_all, data: string) =>
        Buffer.from(data, 'base64').toString('utf8'),
      );
  } finally {
    await connection.close();
  }
}

/** Every password of the sandbox by the name of its file. */
async function secrets(): Promise<Record<string, string>> {
  const layout = layoutOf(folder);
  const found: Record<string, string> = {};
  for (const directory of [layout.secrets, layout.superusers]) {
    for (const name of await readdir(directory)) {
      if (name === CA_FILE) continue;
      found[name] = (await readFile(join(directory, name), 'utf8')).trim();
    }
  }
  return found;
}

/** Command lines that name the folder. */
async function processesOf(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(path)) found.push(command.replaceAll('\0', ' '));
  }
  return found;
}
