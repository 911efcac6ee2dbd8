import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMysql, startTemporal } from '../servers.ts';

/** Set in the run that this test starts and kills; there, this file holds servers until it is killed. */
const reportFile = process.env['SKYFERRY_TEST_REPORT'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-orphans-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Processes that name the folder in their command line, as servers and their guards do. */
function processesNaming(text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

function killTheRun(): void {
  it('no server outlives a test run, not even one that is killed with SIGKILL', async () => {
    const report = join(folder, 'report');
    const vitest = spawn(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', 'test/sandbox/orphans.test.ts'],
      {
        // Its own group, so that its workers are killed with it and none has a chance to clean up.
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, TMPDIR: folder, SKYFERRY_TEST_REPORT: report },
      },
    );
    try {
      await expect.poll(() => existsSync(report), { timeout: 50_000 }).toBe(true);
      const mysqld = Number(await readFile(report, 'utf8'));
      const running = processesNaming(`${folder}/skyferry-test-`);
      expect(running).toContain(mysqld);
      expect(running.length).toBeGreaterThanOrEqual(3);
    } finally {
      process.kill(-(vitest.pid ?? 0), 'SIGKILL');
    }
    await expect
      .poll(() => processesNaming(`${folder}/skyferry-test-`), { timeout: 20_000 })
      .toEqual([]);
    const left = () => readdirSync(folder).filter((name) => name.startsWith('skyferry-test-'));
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  }, 90_000);
}

function holdServers(file: string): void {
  it('holds two servers until it is killed', async () => {
    const [mysql] = await Promise.all([startMysql(), startTemporal()]);
    await writeFile(`${file}.next`, String(await mysql.pid()));
    await rename(`${file}.next`, file);
    await expect(new Promise(() => {})).resolves.toBe('never');
  }, 300_000);
}

if (reportFile === undefined) killTheRun();
else holdServers(reportFile);
