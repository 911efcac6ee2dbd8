import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, group, wanted } from './azure/lab.ts';

const main = fileURLToPath(new URL('../../../dist/sandbox/clouds/main.js', import.meta.url));

interface Ready {
  readonly url: string;
  readonly caFile: string;
  readonly env: Record<string, string>;
}

let folder: string;
let clouds: ChildProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-clouds-'));
});
afterAll(async () => {
  clouds?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
});

async function start(): Promise<Ready> {
  const [options, readyFile] = [join(folder, 'options.json'), join(folder, 'ready.json')];
  await rm(readyFile, { force: true });
  const state = join(folder, 'state');
  await writeFile(options, JSON.stringify({ folder: state, life: 'bound', readyFile }));
  clouds = spawn(process.execPath, [main, options], { stdio: 'ignore' });
  return await expect
    .poll(() => readFile(readyFile, 'utf8').catch(() => ''), { timeout: 30_000, interval: 50 })
    .not.toBe('')
    .then(async () => JSON.parse(await readFile(readyFile, 'utf8')) as Ready);
}

async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown> {
  const exit = clouds === undefined ? [] : once(clouds, 'exit');
  clouds?.kill(signal);
  return (await exit)[0];
}

test('a server is created although the process is killed in the middle, on the same address again', async () => {
  const { url, env, caFile } = await start();
  const client = connect({ url, env, ca: await readFile(caFile, 'utf8') });
  const poller = await client.servers.beginCreate(group, 'shop-killed', wanted);
  await end('SIGKILL');
  await start();
  await poller.pollUntilDone();
  expect(await client.servers.get(group, 'shop-killed')).toMatchObject({ state: 'Ready' });
  // Served by the MySQL server itself.
  expect(await client.databases.get(group, 'shop-killed', 'mysql')).toMatchObject({
    name: 'mysql',
  });
  expect(await end('SIGTERM')).toBe(0);
});
