import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { runDemo as RunDemo } from '../../src/sandbox/demo/run-demo.ts';
import { reset } from '../../src/sandbox/down.ts';
import { up } from '../../src/sandbox/up.ts';

/**
 * Consecutive demos: other rows, other workloads, other moments at which the worker is killed. A run
 * that fails is named by its numbers, so that it can be run again: SOAK_SEED, SOAK_KILLS=0.12,0.9.
 */
const runs = Number(process.env['SOAK_RUNS'] ?? 20);

const folders: string[] = [];
afterEach(async () => {
  for (const stateDir of folders.splice(0)) {
    await reset({ stateDir });
    await rm(stateDir, { recursive: true, force: true });
  }
});

const given = { seed: process.env['SOAK_SEED'], kills: process.env['SOAK_KILLS'] };
const chosen = Array.from({ length: runs }, (_, i) => ({
  run: i + 1,
  seed: Number(given.seed ?? randomInt(1, 1_000_000)),
  kills: given.kills ?? `${Math.random().toFixed(3)},${Math.random().toFixed(3)}`,
}));

test.each(chosen)('demo $run: seed $seed, kills at $kills', async ({ seed, kills }) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'skyferry-soak-'));
  folders.push(stateDir);
  const sandbox = await up({ stateDir, life: 'bound', progress: () => {} });
  // The demo starts its programs from the built tree.
  const built = new URL('../../dist/sandbox/demo/run-demo.js', import.meta.url).href;
  const { runDemo } = (await import(built)) as { runDemo: typeof RunDemo };
  const left = kills.split(',').map(Number);
  const {
    ok,
    kills: done,
    evidence,
  } = await runDemo(sandbox, {
    scale: 0.5,
    rate: 120,
    seed,
    killAt: () => left.shift() ?? 0.5,
    signal: new AbortController().signal,
    say: () => {},
  });
  expect(evidence.report.verification).toMatchObject({ equal: true, differing: 0 });
  expect(evidence.application).toMatchObject({ ok: true });
  expect(done.map(({ hit }) => hit)).toEqual([true, true]);
  expect(ok).toBe(true);
});
