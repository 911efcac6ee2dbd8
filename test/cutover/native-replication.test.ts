import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CutoverJob } from '../../src/cutover/cutover.ts';
import { cutOver, settleCutover } from '../../src/cutover/cutover.ts';
import { SuperReadOnlyFence } from '../../src/cutover/fence/super-read-only.ts';
import { createFileSwitch } from '../../src/cutover/switches/file.ts';
import { SkyferryFailure } from '../../src/failures.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { detach, end } from '../../src/engines/native/detach.ts';
import { beginMigration, differences, run } from '../replicate/lab.ts';
import { drained, nativeJob, replicaStatus, startNative } from '../engines/native/lab.ts';
import { startMysqlPair } from '../servers.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let folder: string;

beforeAll(async () => {
  servers = await startMysqlPair({ targetFlags: ['--event-scheduler=OFF'] });
  folder = await mkdtemp(join(tmpdir(), 'skyferry-cutover-'));
});
afterAll(async () => {
  await servers.stop();
  await rm(folder, { recursive: true });
});

test('a cutover that is taken back at any step lets MySQL replicate on; the one that succeeds ends it', async () => {
  const { source, target } = servers;
  const file = join(folder, 'app.env');
  await writeFile(file, 'DB=old:3306\n');
  const migration = await beginMigration(
    servers,
    'move',
    ['shop'],
    [
      'CREATE TABLE item (id int PRIMARY KEY AUTO_INCREMENT, v int)',
      'CREATE TABLE noted (item int)',
      'CREATE TRIGGER note AFTER INSERT ON item FOR EACH ROW INSERT INTO noted VALUES (NEW.id)',
    ],
    { lctn: 0 },
  );
  const job = nativeJob(migration);
  const running = startNative(job);
  await drained(job, running);
  const fence = new SuperReadOnlyFence({
    account: source,
    source,
    schemas: ['shop'],
    applicationAccounts: [],
  });
  const appSwitch = createFileSwitch({
    consumer: 'app',
    path: file,
    from: 'old:3306',
    to: 'new:3306',
    allowedDirectories: [folder],
  });
  const cutover: CutoverJob = {
    ...migration.job,
    fence,
    fenceOf: () => fence,
    fenceAccount: source,
    verifiedAt: await withConnection(source, {}, readExecuted),
    consumers: [{ switch: appSwitch, account: null }],
    downtimeBudgetMs: 30_000,
    parallel: 2,
    detach: (signal) => detach(job, signal),
    mayProceed: async () => {},
  };
  const signal = AbortSignal.timeout(100_000);
  for (const at of [
    'remove replication',
    'compare at rest',
    'create triggers',
    'begin to switch',
  ]) {
    await run(source, ['INSERT INTO shop.item (v) VALUES (1), (2)']);
    const onStep = (step: string) => {
      if (step === at) throw new SkyferryFailure('SWITCH_FAILED', `stopped before: ${at}`);
    };
    await expect(cutOver(cutover, { signal, onStep })).rejects.toThrow(`stopped before: ${at}`);
    await run(source, ['UPDATE shop.item SET v = v + 1', 'INSERT INTO shop.item (v) VALUES (3)']);
    await drained(job, running);
    expect(await differences(migration)).toEqual({});
    expect(await replicaStatus(target)).toMatchObject({ Replica_SQL_Running: 'Yes' });
  }
  // An attempt that fell silent right behind the removal, settled by somebody else.
  const silent = cutOver(cutover, {
    signal,
    onStep: async (step) => {
      if (step !== 'compare at rest') return;
      expect(await replicaStatus(target)).toBeUndefined();
      await settleCutover(cutover, { signal });
    },
  });
  await expect(silent).rejects.toMatchObject({ code: 'EPOCH_LOST' });
  await run(source, ['INSERT INTO shop.item (v) VALUES (4)']);
  await drained(job, running);
  await cutOver(cutover, { signal, onStep: () => {} });
  expect(await readFile(file, 'utf8')).toBe('DB=new:3306\n');
  expect(await replicaStatus(target)).toBeUndefined();
  expect(await differences(migration)).toEqual({});
  // A worker that did not hear of it finds nothing to do.
  await running.stop();
  const late = startNative(job);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await late.stop();
  expect(await replicaStatus(target)).toBeUndefined();
  expect(await end(job, signal)).toHaveLength(2);
}, 120_000);
