import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cutOver } from '../../src/activities/cut-over.ts';
import { emptyTarget } from '../../src/activities/empty-target.ts';
import { resolveConsumers } from '../../src/activities/consumers.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { openFence } from '../../src/activities/fence.ts';
import { openJob } from '../../src/activities/job.ts';
import { openMigration } from '../../src/activities/open-migration.ts';
import { createClouds } from '../../src/clouds/clouds.ts';
import { configHash } from '../../src/config/hash.ts';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { cutOver as cutOverEngine } from '../../src/cutover/cutover.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { readLag } from '../../src/replicate/await-lag.ts';
import type { Migration } from '../replicate/lab.ts';
import { beginMigration, catchUp, countRows, LCTN } from '../replicate/lab.ts';
import { startMysqlPair } from '../servers.ts';

/** Mondays from two to half past two. */
const inside = new Date('2026-01-05T02:10:00Z');
const outside = new Date('2026-01-05T02:31:00Z');

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let folder: string;
let file: string;
let migration: Migration;
let config: LocatedConfig;
let stopApplying: () => Promise<void>;

beforeAll(async () => {
  servers = await startMysqlPair({ targetLowerCaseTableNames: LCTN });
  folder = await mkdtemp(join(tmpdir(), 'skyferry-cutover-'));
  file = join(folder, 'app.env');
});
afterAll(async () => {
  await servers.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await writeFile(file, 'DB=old:3306\n');
  migration = await beginMigration(
    servers,
    'move',
    ['shop'],
    ['CREATE TABLE item (id int PRIMARY KEY)'],
  );
  await onSource('INSERT INTO shop.item VALUES (1), (2)');
  await catchUp(migration);
  config = configOf(servers.source, servers.target);
  startApplying();
});
afterEach(async () => {
  await stopApplying();
  await onSource('SET GLOBAL super_read_only = OFF');
  await onSource('SET GLOBAL read_only = OFF');
});

test('a window that closed while rows were compared is seen before the fence', async () => {
  await expect(cutOverAt(outside)).rejects.toMatchObject({
    type: 'NOT_QUIESCENT',
    message: 'the maintenance window closed before the fence',
    details: [{ next: expect.stringContaining('2026-01-12T02:00:00') as string }],
  });
  await expectBefore();
  expect(await cutOverAt(inside)).toMatchObject({
    sourcePosition: { file: expect.any(String) as string },
  });
  expect(await readFile(file, 'utf8')).toBe('DB=new:3306\n');
  // What is on the target is the application's from now on.
  const emptying = new MockActivityEnvironment().run(emptyTarget(dependencies(inside)), { config });
  await expect(emptying).rejects.toMatchObject({ details: [{ safe: 'nothing was dropped' }] });
  expect(await countRows(servers.target, 'shop.item')).toBeGreaterThan(1);
}, 60_000);

test('lag that is too high right before the fence keeps it down', async () => {
  await stopApplying();
  while ((await readLag(servers.target, 'move')).lagMs < 2500) await sleep(100);
  await expect(cutOverAt(inside)).rejects.toMatchObject({
    type: 'NOT_QUIESCENT',
    message: expect.stringContaining('more than 2s late') as string,
  });
  await expectBefore();
}, 60_000);

test('a second start lowers the fence that a killed cutover left, before anything else', async () => {
  const deps = dependencies(inside);
  const { signal } = new AbortController();
  const opened = await openJob(deps, config, signal);
  let wake: () => void = () => {};
  const awake = new Promise<void>((resolve) => (wake = resolve));
  let reach: () => void = () => {};
  const fenced = new Promise<void>((resolve) => (reach = resolve));
  const killed = cutOverEngine(
    {
      ...opened,
      ...(await openFence(deps, config, opened.source, signal)),
      verifiedAt: await withConnection(servers.source, {}, readExecuted),
      consumers: await resolveConsumers(deps, config),
      downtimeBudgetMs: 30_000,
      parallel: 2,
      mayProceed: async () => {},
    },
    {
      signal: AbortSignal.timeout(50_000),
      onStep: async (step: string) => {
        if (step !== 'prove quiescence') return;
        reach();
        await awake;
      },
    },
  ).catch((error: unknown) => error);
  await fenced;
  await expect(onSource('INSERT INTO shop.item VALUES (3)')).rejects.toMatchObject({
    detail: { errno: 1290 },
  });
  await withConnection(servers.target, {}, (c) =>
    c.execute("UPDATE skyferry.migration SET config_hash = ? WHERE name = 'move'", [
      configHash(config),
    ]),
  );
  const again = await new MockActivityEnvironment().run(openMigration(deps), { config });
  expect(again).toEqual({ resumed: true });
  await expectBefore();
  wake();
  expect(await killed).toBeInstanceOf(Error);
  await expectBefore();
}, 60_000);

function cutOverAt(now: Date): Promise<unknown> {
  return withConnection(servers.source, {}, readExecuted).then((verifiedAt) =>
    new MockActivityEnvironment().run(cutOver(dependencies(now)), { config, verifiedAt }),
  );
}

/** The source takes writes and the application's endpoint is as it was. */
async function expectBefore(): Promise<void> {
  await onSource('INSERT INTO shop.item SELECT MAX(id) + 1 FROM shop.item');
  expect(await readFile(file, 'utf8')).toBe('DB=old:3306\n');
}

function startApplying(): void {
  const controller = new AbortController();
  const applied = applyChanges(migration.job, {
    signal: controller.signal,
    onProgress: () => {},
  }).catch(() => {});
  stopApplying = async () => {
    controller.abort();
    await applied;
  };
}

async function onSource(sql: string): Promise<void> {
  await withConnection(servers.source, {}, (c) => c.query(sql));
}

function dependencies(now: Date): ActivityDependencies {
  const env = {
    SOURCE: servers.source.password,
    TARGET: servers.target.password,
    SOURCE_CA: caOf(servers.source),
    TARGET_CA: caOf(servers.target),
  };
  return {
    secrets: createSecretResolver({ secretsDirectory: undefined, env }),
    clouds: createClouds({ env }),
    now: () => now,
    switchDirectories: [folder],
    switchCommands: {},
    searchAttributes: async () => [],
  };
}

function configOf(source: Endpoint, target: Endpoint): LocatedConfig {
  const server = ({ host, port, user }: Endpoint, side: string) => ({
    host,
    port,
    user,
    password: `\${env:${side}}`,
    tls: { ca: `\${env:${side}_CA}` },
  });
  const located = locateWritten(
    migrationConfigSchema.parse({
      name: 'move',
      source: {
        ...server(source, 'SOURCE'),
        fence: { user: source.user, password: '${env:SOURCE}' },
      },
      target: server(target, 'TARGET'),
      schemas: ['shop'],
      cutover: {
        lagThreshold: '2s',
        window: { days: ['mon'], from: '02:00', to: '02:30', timeZone: 'UTC' },
        switches: [{ consumer: 'app', kind: 'file', path: file, from: 'old:3306', to: 'new:3306' }],
      },
    }),
  );
  if (located === null) throw new Error('no address');
  return located;
}

function caOf({ tls }: Endpoint): string {
  return tls.mode === 'verify-identity' ? (tls.ca ?? '') : '';
}
