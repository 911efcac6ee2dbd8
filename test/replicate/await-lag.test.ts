import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { awaitApplied } from '../../src/replicate/await-applied.ts';
import { awaitLag, readLag, watchLag } from '../../src/replicate/await-lag.ts';
import { startMysqlPair } from '../servers.ts';
import { beginMigration, binlogEnd, LCTN, run } from './lab.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
});
afterAll(async () => {
  await servers.stop();
});

test('lag is low while applying and idle, and grows when nobody applies', async () => {
  const { job } = await beginMigration(
    servers,
    'lag',
    ['app'],
    ['CREATE TABLE t (id int PRIMARY KEY)'],
  );
  const stop = new AbortController();
  const applied = applyChanges(job, { signal: stop.signal, onProgress: () => {} });
  const outcome = applied.catch((error: unknown) => error);
  const samples: number[] = [];
  const options = {
    thresholdMs: 2500,
    intervalMs: 500,
    signal: AbortSignal.timeout(30_000),
    onProgress: ({ lagMs }: { lagMs: number }) => samples.push(lagMs),
  };
  await run(servers.source, ['INSERT INTO app.t VALUES (1)']);
  const { position } = await awaitApplied(job.target, 'lag', await binlogEnd(job.source), {
    signal: options.signal,
  });
  expect(position).not.toBeNull();
  // Longer than silence is taken for: only the heartbeats of an idle source keep lag low.
  await awaitLag(job.target, 'lag', { ...options, samples: 9 });
  expect(samples.length).toBeLessThan(15);
  stop.abort();
  await outcome;
  await delay(100);
  expect(await watchLag(job.target, 'lag', { ...options, samples: 2 })).toMatchObject({
    lagMs: expect.any(Number) as number,
  });
  expect((await readLag(job.target, 'lag')).lagMs).toBeGreaterThan(2500);
});

test('waiting ends with the signal', async () => {
  const { job } = await beginMigration(servers, 'waiting', ['app'], []);
  const reason = new Error('enough');
  const stop = new AbortController();
  const waiting = awaitApplied(
    job.target,
    'waiting',
    { file: 'binlog.999999', offset: 4 },
    { signal: stop.signal },
  );
  const outcome = waiting.catch((error: unknown) => error);
  await delay(100);
  stop.abort(reason);
  expect(await outcome).toBe(reason);
});
