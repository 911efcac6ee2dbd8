import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSampleDatabase } from '../../../src/sandbox/sample/create-sample-database.ts';
import type { WriterSummary } from '../../../src/sandbox/writer/run-writer.ts';
import { verifyLedger } from '../../../src/sandbox/writer/verify-ledger.ts';
import { startMysql } from '../../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
let folder: string;

beforeAll(async () => {
  server = await startMysql();
  folder = await mkdtemp(join(tmpdir(), 'skyferry-writer-'));
  const signal = new AbortController().signal;
  await createSampleDatabase(server.endpoint, { scale: 0.05, seed: 3, signal, onProgress: () => {} }); // prettier-ignore
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The program as it was built: `npm test` builds first. */
async function startWriter(ledgerFile: string) {
  const { host, port, user, password, tls } = server.endpoint;
  const options = join(folder, 'options.json');
  const connectionFile = join(folder, 'connection.json');
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, tls.mode === 'disabled' ? '' : (tls.ca ?? ''));
  await writeFile(connectionFile, JSON.stringify({ host, port, user, password }));
  await writeFile(options, JSON.stringify({ connectionFile, caFile, ledgerFile, rate: 200, progressMs: 300 })); // prettier-ignore
  const child = spawn(process.execPath, ['dist/sandbox/writer/main.js', options]);
  const lines: { type: string; acknowledged: number }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as { type: string; acknowledged: number });
  });
  const exited = once(child, 'exit');
  while (!lines.some((line) => line.acknowledged > 20)) await delay(50);
  return { child, lines, exited };
}

test('SIGTERM: finishes what is in flight and says what it did', async () => {
  const ledgerFile = join(folder, 'terminated.jsonl');
  const { child, lines, exited } = await startWriter(ledgerFile);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines.some(({ type }) => type === 'progress')).toBe(true);
  const summary = lines.at(-1) as { type: string } & WriterSummary;
  expect(summary.type).toBe('summary');
  const verdict = await verifyLedger(server.endpoint, ledgerFile);
  expect(verdict).toMatchObject({ ok: true, acknowledged: summary.acknowledged, problems: [] });
  const written = JSON.parse(await readFile(`${ledgerFile}.summary.json`, 'utf8')) as WriterSummary;
  expect(written.acknowledged).toBe(summary.acknowledged);
});

test('SIGKILL: the ledger still holds everything that was acknowledged', async () => {
  const ledgerFile = join(folder, 'killed.jsonl');
  const { child, exited } = await startWriter(ledgerFile);
  child.kill('SIGKILL');
  await exited;
  // The server may still be committing what it had received.
  await delay(300);
  const verdict = await verifyLedger(server.endpoint, ledgerFile);
  expect(verdict.problems).toEqual([]);
  expect(verdict.acknowledged).toBeGreaterThan(0);
});
