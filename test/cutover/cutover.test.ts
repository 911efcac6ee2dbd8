import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/checkpoint/store.ts';
import { createCheckpoint } from '../../src/checkpoint/take-name.ts';
import type { CutoverJob } from '../../src/cutover/cutover.ts';
import { cutOver, settleCutover, settleEarlierCutover } from '../../src/cutover/cutover.ts';
import { SuperReadOnlyFence } from '../../src/cutover/fence/super-read-only.ts';
import { createFileSwitch } from '../../src/cutover/switches/file.ts';
import type { Switch } from '../../src/cutover/switches/switch.ts';
import { SkyferryFailure, isFailure } from '../../src/failures.ts';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import { applyChanges } from '../../src/replicate/apply-changes.ts';
import { beginMigration, catchUp, LCTN } from '../replicate/lab.ts';
import { startMysqlPair } from '../servers.ts';

let servers: Awaited<ReturnType<typeof startMysqlPair>>;
let source: Connection;
let target: Connection;
let consumerAccount: Endpoint;
let folder: string;
let file: string;
let job: CutoverJob;
let fence: SuperReadOnlyFence;
let stopApplying: () => Promise<void>;

const open = {
  kind: 'super-read-only',
  readOnly: false,
  superReadOnly: false,
  persisted: { readOnly: 'not persisted', superReadOnly: 'not persisted' },
} as const;
/** To be found again exactly. */
const former = { ...open, persisted: { readOnly: 'OFF', superReadOnly: 'not persisted' } } as const;

beforeAll(async () => {
  servers = await startMysqlPair({
    targetLowerCaseTableNames: LCTN,
    targetFlags: ['--event-scheduler=OFF'],
  });
  source = await openConnection(servers.source);
  fence = fenceBy(servers.source);
  target = await openConnection(servers.target);
  consumerAccount = { ...servers.target, user: 'app', password: 'app-password' };
  await target.query("CREATE USER app@'%' IDENTIFIED BY 'app-password'");
  await target.query("GRANT ALL ON shop.* TO app@'%'");
  folder = await mkdtemp(join(tmpdir(), 'skyferry-cutover-'));
  file = join(folder, 'app.env');
});

afterAll(async () => {
  await source.close();
  await target.close();
  await servers.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  await source.query('SET PERSIST read_only = OFF');
  await writeFile(file, 'DB=old:3306\n');
  const migration = await beginMigration(
    servers,
    'move',
    ['Shop'],
    [
      `CREATE TABLE Item (id int PRIMARY KEY AUTO_INCREMENT, v int)`,
      `CREATE TABLE log (id int PRIMARY KEY AUTO_INCREMENT, item int, KEY (item),
         FOREIGN KEY (item) REFERENCES Item (id) ON DELETE CASCADE)`,
      'CREATE TRIGGER Item_log AFTER INSERT ON Item FOR EACH ROW INSERT INTO log (item) VALUES (NEW.id)',
      'CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM log WHERE id < 0',
      'INSERT INTO Item (v) VALUES (1), (2), (3)',
    ],
  );
  // The schema and its first rows are older than the migration's start: bring the rows by hand.
  await target.query('INSERT INTO shop.item (id, v) VALUES (1, 1), (2, 2), (3, 3)');
  await target.query('INSERT INTO shop.log (id, item) VALUES (1, 1), (2, 2), (3, 3)');
  await source.query('INSERT INTO Shop.Item (v) VALUES (4)');
  await catchUp(migration);
  job = {
    ...migration.job,
    fence,
    fenceOf: () => fence,
    fenceAccount: servers.source,
    verifiedAt: await readExecuted(source),
    consumers: [{ switch: fileSwitch(), account: consumerAccount }],
    downtimeBudgetMs: 30_000,
    parallel: 2,
    mayProceed: async () => {},
  };
  const applying = new AbortController();
  const applied = applyChanges(migration.job, {
    signal: applying.signal,
    onProgress: () => {},
  }).catch(() => {});
  stopApplying = async () => {
    applying.abort();
    await applied;
  };
  await source.query('INSERT INTO Shop.Item (v) VALUES (5)');
  await source.query('DELETE FROM Shop.Item WHERE id = 1');
});

afterEach(async () => {
  await stopApplying();
  await fence.lower(open);
});

function fenceBy(account: Endpoint): SuperReadOnlyFence {
  return new SuperReadOnlyFence({
    account,
    source: servers.source,
    schemas: ['Shop'],
    applicationAccounts: [],
  });
}

async function readFence() {
  const { foreign: _foreign, ...state } = await fence.read();
  return state;
}

/** A plain object: tests put other methods in the place of some. */
function fileSwitch(consumer = 'app'): Switch {
  const real = createFileSwitch({
    consumer,
    path: file,
    from: 'old:3306',
    to: 'new:3306',
    allowedDirectories: [folder],
  });
  return {
    consumer,
    describe: () => real.describe(),
    precondition: async (signal) => await real.precondition(signal),
    do: async (signal) => await real.do(signal),
    undo: async (signal) => await real.undo(signal),
    probe: async (signal) => await real.probe(signal),
  };
}

const options = () => ({ signal: AbortSignal.timeout(50_000), onStep: () => {} });
const fileText = async (): Promise<string> => await readFile(file, 'utf8');
const triggers = async (): Promise<number> =>
  (await target.query("SELECT 1 FROM information_schema.triggers WHERE trigger_schema = 'shop'"))
    .length;

async function expectBefore(): Promise<void> {
  expect(await readFence()).toEqual(former);
  expect(await triggers()).toBe(0);
  expect(await fileText()).toBe('DB=old:3306\n');
  await source.query('INSERT INTO Shop.Item (v) VALUES (99)');
}

async function expectSwitched(): Promise<void> {
  expect(await readFence()).toEqual({
    readOnly: true,
    superReadOnly: true,
    persisted: { readOnly: 'ON', superReadOnly: 'ON' },
    kind: 'super-read-only',
  });
  expect(await triggers()).toBe(1);
  expect(await fileText()).toBe('DB=new:3306\n');
  expect(
    await target.query(
      "SELECT status AS s FROM information_schema.events WHERE event_schema = 'shop'",
    ),
  ).toEqual([{ s: 'ENABLED' }]);
  const rows = async (connection: Connection, table: string) =>
    await connection.query(`SELECT * FROM ${table} ORDER BY id`);
  expect(await rows(target, 'shop.item')).toEqual(await rows(source, 'Shop.Item'));
  expect(await rows(target, 'shop.log')).toEqual(await rows(source, 'Shop.log'));
  const { state } = (await readCheckpoint(target, 'move')) ?? {};
  expect(state).toBe('switched');
}

interface KilledRun {
  readonly killed: boolean;
  readonly step: string;
  /** What was thought dead goes on. */
  wake(): void;
  readonly outcome: Promise<unknown>;
}

/** Stops dead before the given step, as a killed worker does. */
async function killBefore(index: number): Promise<KilledRun> {
  let reach: (step: string) => void = () => {};
  const reached = new Promise<string>((resolve) => (reach = resolve));
  let wake: () => void = () => {};
  const awake = new Promise<void>((resolve) => (wake = resolve));
  let at = 0;
  const outcome = cutOver(job, {
    signal: AbortSignal.timeout(50_000),
    onStep: async (step: string) => {
      if (at++ !== index) return;
      reach(step);
      await awake;
    },
  }).catch((error: unknown) => error);
  const ended = Symbol('ended');
  const first = await Promise.race([reached, outcome.then(() => ended)]);
  return {
    killed: first !== ended,
    step: typeof first === 'string' ? first : '',
    wake,
    outcome,
  };
}

describe('cutOver', () => {
  it('moves the consumer, and says what it did and how long writes were down', async () => {
    const steps: string[] = [];
    const result = await cutOver(job, { ...options(), onStep: (step) => steps.push(step) });
    await expectSwitched();
    expect(result.steps.map(({ step }) => step)).toEqual(steps);
    expect(steps).toEqual([
      'probe consumers',
      'prepare target',
      'compare under writes',
      'check window and lag',
      'raise fence',
      'prove quiescence',
      'drain',
      'compare at rest',
      'look for orphans',
      'create triggers',
      'raise counters',
      'begin to switch',
      'persist fence',
      'switch app',
      'probe app',
      'look for late writes',
      'enable events',
    ]);
    expect(result.writeDowntimeMs).toBeGreaterThan(0);
    expect(result.writeDowntimeMs).toBeLessThan(10_000);
    expect(result.unfenceCommand).toContain('SET GLOBAL super_read_only = OFF');
    expect(result.warnings).toEqual([]);
    expect(result.evidence).toMatchObject({
      quiescence: { fence: 'super-read-only' },
      fence: { kind: 'super-read-only', accounts: [] },
      targetPosition: { file: expect.stringMatching(/^binlog/) as string },
    });
    // Asked again, it answers; it does nothing.
    await target.query('INSERT INTO shop.item (v) VALUES (100)');
    expect(await cutOver(job, options())).toEqual(result);
    expect(await settleCutover(job, options())).toMatchObject({ switched: true });
  });

  it('carries on after a kill before any of its steps', async () => {
    let kills = 0;
    for (; ; kills++) {
      const run = await killBefore(kills);
      if (!run.killed) break;
      const result = await cutOver(job, options());
      expect(result.writeDowntimeMs).toBeGreaterThan(0);
      await expectSwitched();
      // The one thought dead wakes up: it finds that it has lost, and spoils nothing.
      run.wake();
      await run.outcome;
      await expectSwitched();
      await restore();
    }
    expect(kills).toBe(17);
  }, 300_000);

  it('is settled after a kill before any of its steps: put back exactly, or forward only', async () => {
    const outcomes: Record<string, boolean> = {};
    const notLost: string[] = [];
    for (let step = 0; ; step++) {
      const run = await killBefore(step);
      if (!run.killed) break;
      const { switched } = await settleCutover(job, options());
      expect(await settleCutover(job, options())).toMatchObject({ switched });
      outcomes[run.step] = switched;
      if (!switched) await expectBefore();
      run.wake();
      if (!isFailure(await run.outcome, 'EPOCH_LOST')) notLost.push(run.step);
      if (switched) await cutOver(job, options());
      await (switched ? expectSwitched() : expectBefore());
      await restore();
    }
    expect(notLost).toEqual([]);
    expect(outcomes['begin to switch']).toBe(false);
    expect(outcomes['switch app']).toBe(true);
  }, 300_000);

  /** A new migration in the state of `beforeEach`. */
  async function restore(): Promise<void> {
    await stopApplying();
    await fence.lower(open);
    await source.query('SET PERSIST read_only = OFF');
    await writeFile(file, 'DB=old:3306\n');
    await target.query('DROP TRIGGER IF EXISTS shop.Item_log');
    await target.query('DROP EVENT IF EXISTS shop.tidy');
    await target.query(
      "UPDATE skyferry.migration SET state = 'active', remembered = NULL WHERE name = 'move'",
    );
    const applying = new AbortController();
    const applied = applyChanges(
      { ...job, batchRows: 1000 },
      { signal: applying.signal, onProgress: () => {} },
    ).catch(() => {});
    stopApplying = async () => {
      applying.abort();
      await applied;
    };
    await source.query('INSERT INTO Shop.Item (v) VALUES (6)');
  }

  it('is un-fenced by another start, which resumes; never once a switch has begun', async () => {
    const { sourceUuid } = (await readCheckpoint(target, 'move'))!;
    const startAgain = async () =>
      await createCheckpoint(target, {
        name: 'move',
        configHash: 'c',
        workflowRun: 'another',
        sourceUuid,
      });
    // Nothing to settle.
    await settleEarlierCutover(job, options());
    const fenced = await killBefore(6);
    expect(fenced.step).toBe('drain');
    expect(await startAgain()).toBe('resumed');
    await settleEarlierCutover(job, options());
    await expectBefore();
    fenced.wake();
    expect(await fenced.outcome).toMatchObject({ code: 'EPOCH_LOST' });
    await expectBefore();

    const switching = await killBefore(13);
    expect(switching.step).toBe('switch app');
    await expect(startAgain()).rejects.toMatchObject({
      code: 'MIGRATION_CONFLICT',
      message: expect.stringContaining('0 app: begun') as string,
    });
    await expect(settleEarlierCutover(job, options())).rejects.toMatchObject({
      code: 'MIGRATION_CONFLICT',
    });
    expect((await readCheckpoint(target, 'move'))?.workflowRun).toBe('another');
    expect(await readFence()).toMatchObject({ superReadOnly: true });
    switching.wake();
    await switching.outcome;
  });

  it('un-fences when the budget runs out, here because nobody applies', async () => {
    await sleep(500);
    await stopApplying();
    const drains = cutOver(
      { ...job, downtimeBudgetMs: 1500 },
      {
        ...options(),
        onStep: async (step) => {
          if (step === 'raise fence') await source.query('INSERT INTO Shop.Item (v) VALUES (7)');
        },
      },
    );
    await expect(drains).rejects.toMatchObject({
      code: 'DOWNTIME_EXCEEDED',
      message: expect.stringMatching(/: raise fence .* s, .*drain 1\.\d+ s and not done$/),
    });
    await expectBefore();
  });

  it('un-fences in time though somebody reads the tables of the target, and tidies up afterwards', async () => {
    await using reader = await openConnection(servers.target);
    // Given away by the source alone, so that the target's counter has to be raised.
    await source.query('BEGIN');
    await source.query('INSERT INTO Shop.Item (v) VALUES (8)');
    await source.query('ROLLBACK');
    const run = cutOver(
      { ...job, downtimeBudgetMs: 2_500 },
      {
        ...options(),
        onStep: async (step) => {
          if (step !== 'raise counters') return;
          await reader.query('BEGIN');
          await reader.query('SELECT COUNT(*) FROM shop.item');
        },
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'DOWNTIME_EXCEEDED', retryable: false });
    expect(await readFence()).toEqual(former);
    expect(await triggers()).toBe(1);
    await reader.query('ROLLBACK');
    // Changes were applied while the trigger was there.
    expect(await settleCutover(job, options())).toEqual({ switched: false, compareAll: true });
    await expectBefore();
    expect(await settleCutover(job, options())).toEqual({ switched: false });
  });

  it('un-fences though the target answers nothing any more', async () => {
    await using locker = await openConnection(servers.target);
    let isLocked = false;
    const run = cutOver(
      { ...job, downtimeBudgetMs: 2_500 },
      {
        ...options(),
        onStep: async (step) => {
          if (step !== 'begin to switch') return;
          await locker.query('FLUSH TABLES WITH READ LOCK');
          isLocked = true;
        },
      },
    ).catch((error: unknown) => error);
    const isUnfenced = async () => isLocked && !(await readFence()).readOnly;
    for (let look = 0; look < 400 && !(await isUnfenced()); look++) await sleep(50);
    await locker.query('UNLOCK TABLES');
    expect(await run).toMatchObject({ code: 'DOWNTIME_EXCEEDED' });
    expect(await readFence()).toEqual(former);
    // What was given up is not written later.
    expect(await settleCutover(job, options())).toMatchObject({ switched: false });
    await expectBefore();
  });

  it('un-fences when it is aborted behind the fence', async () => {
    const abort = new AbortController();
    const run = cutOver(job, {
      signal: abort.signal,
      onStep: (step) => {
        if (step === 'begin to switch') abort.abort(new Error('a person said stop'));
      },
    });
    await expect(run).rejects.toThrow('a person said stop');
    await expectBefore();
  });

  it('un-fences when touched rows differ, and keeps their keys out of the failure', async () => {
    const run = cutOver(job, {
      ...options(),
      onStep: async (step) => {
        if (step === 'compare at rest')
          await target.query('UPDATE shop.item SET v = 7777 WHERE id = 6');
        if (step === 'raise fence') await source.query('INSERT INTO Shop.Item (v) VALUES (7)');
      },
    });
    const failure: unknown = await run.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ROWS_DIFFER' });
    expect(String(failure)).toContain('Shop.Item (1)');
    expect(String(failure)).not.toContain('id=6');
    expect((await readCheckpoint(target, 'move'))?.remembered['verification']).toMatchObject({
      differing: [{ table: 'Shop.Item', key: 'id=6', kind: 'changed' }],
    });
    await target.query('UPDATE shop.item SET v = 7 WHERE id = 6');
    await expectBefore();
  });

  it.each([
    ['an account that cannot log in', () => ({ ...consumerAccount, password: 'wrong' })],
    ['an account that sees none of the schemas', () => ({ ...consumerAccount, user: 'stranger' })],
  ])('does not even fence with %s', async (_what, account) => {
    await target.query("CREATE USER IF NOT EXISTS stranger@'%' IDENTIFIED BY 'app-password'");
    const steps: string[] = [];
    const run = cutOver(
      { ...job, consumers: [{ switch: fileSwitch(), account: account() }] },
      { ...options(), onStep: (step) => steps.push(step) },
    );
    await expect(run).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(steps).not.toContain('raise fence');
    await expectBefore();
  });

  it('does not touch a source that somebody else made read-only', async () => {
    await source.query('SET GLOBAL read_only = ON');
    await expect(cutOver(job, options())).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
      message: expect.stringContaining('already') as string,
    });
    expect(await readFence()).toEqual({ ...former, readOnly: true });
    await source.query('SET GLOBAL read_only = OFF');
    await expectBefore();
  });

  it('asks once more whether it may', async () => {
    const run = cutOver(
      {
        ...job,
        mayProceed: async () => {
          throw new SkyferryFailure('TRANSIENT', 'the window is closed');
        },
      },
      options(),
    );
    await expect(run).rejects.toThrow('the window is closed');
    await expectBefore();
  });
});

describe('a switch that fails', () => {
  const failing = (before?: () => Promise<void>): Switch => ({
    ...fileSwitch('second'),
    do: async () => {
      await before?.();
      throw new SkyferryFailure('SWITCH_FAILED', 'the second switch refuses');
    },
    undo: async () => {},
  });

  it('takes the first one back and un-fences, when it is proved that nobody wrote to the target', async () => {
    const consumers = [
      { switch: fileSwitch(), account: consumerAccount },
      { switch: failing(), account: consumerAccount },
    ];
    await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
      code: 'SWITCH_FAILED',
      detail: { safe: expect.stringContaining('un-fenced') as string },
    });
    await expectBefore();
    expect(await settleCutover(job, options())).toEqual({ switched: false });
  });

  it('is un-fenced, and never goes forward, after a kill while it was being taken back', async () => {
    // Dies, as far as the fence is concerned, after the switches were undone.
    let user = servers.source.user;
    const account = {
      ...servers.source,
      get user() {
        return user;
      },
    };
    const dying = fenceBy(account);
    const undo = async () => void (user = 'nobody');
    const consumers = [
      { switch: fileSwitch(), account: consumerAccount },
      { switch: { ...failing(), undo }, account: consumerAccount },
    ];
    await expect(
      cutOver({ ...job, fence: dying, fenceOf: () => dying, consumers }, options()),
    ).rejects.toMatchObject({
      code: 'NOT_QUIESCENT',
      message: expect.stringContaining('could not be lowered') as string,
    });
    expect(await readFence()).toMatchObject({ superReadOnly: true });
    expect(await settleCutover(job, options())).toMatchObject({ switched: false });
    await expectBefore();
  });

  it('lets no change of the source be applied from the first switch on, until it is taken back', async () => {
    const written = async () =>
      await target.query('SELECT v FROM shop.item WHERE v IN (500, 501) ORDER BY v');
    const applying = new AbortController();
    await stopApplying();
    const applied = applyChanges(
      { ...job, batchRows: 1000 },
      { signal: applying.signal, onProgress: () => {} },
    ).catch((error: unknown) => error);
    const sneaking: Switch = {
      ...fileSwitch(),
      do: async () => {
        await source.query('SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF');
        await source.query('INSERT INTO Shop.Item (v) VALUES (500)');
        await sleep(500);
        expect(await written()).toEqual([]);
        throw new SkyferryFailure('CONNECTION_LOST', 'the switch fails');
      },
    };
    const consumers = [{ switch: sneaking, account: consumerAccount }];
    await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      // To begin again takes another approval.
      retryable: false,
    });
    await source.query('INSERT INTO Shop.Item (v) VALUES (501)');
    for (let look = 0; look < 200 && (await written()).length < 2; look++) await sleep(50);
    expect(await written()).toEqual([{ v: 500 }, { v: 501 }]);
    applying.abort(new Error('stopped'));
    expect(await applied).toMatchObject({ message: 'stopped' });
  });

  it('is undone when it was done too late, after another attempt had put everything back', async () => {
    const refused = [{ switch: failing(), account: consumerAccount }];
    const slow: Switch = {
      ...fileSwitch(),
      do: async (signal) => {
        await expect(cutOver({ ...job, consumers: refused }, options())).rejects.toMatchObject({
          code: 'SWITCH_FAILED',
        });
        await fileSwitch().do(signal);
      },
    };
    const consumers = [{ switch: slow, account: consumerAccount }];
    await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
      code: 'EPOCH_LOST',
    });
    await expectBefore();
  });

  it('says what was put back when the target took a write meanwhile', async () => {
    const writes: Switch = {
      ...failing(),
      undo: async () => {
        await using app = await openConnection(consumerAccount);
        await app.query('INSERT INTO shop.item (v) VALUES (1000)');
      },
    };
    const consumers = [
      { switch: fileSwitch(), account: consumerAccount },
      { switch: writes, account: consumerAccount },
    ];
    const failure: unknown = await cutOver({ ...job, consumers }, options()).catch(
      (error: unknown) => error,
    );
    expect(String(failure)).toContain('the endpoints were put back, and the source stays fenced');
    expect(String(failure)).not.toContain('nothing is reverted');
    expect(await fileText()).toBe('DB=old:3306\n');
    expect(await readFence()).toMatchObject({ superReadOnly: true });
  });

  it('switches nothing more once the fence has fallen, and persists it before the first', async () => {
    const seen: unknown[] = [];
    const first: Switch = {
      ...fileSwitch(),
      do: async (signal) => {
        seen.push((await readFence()).persisted);
        await fileSwitch().do(signal);
        await source.query('SET GLOBAL super_read_only = OFF');
        await using app = await openConnection(consumerAccount);
        await app.query('INSERT INTO shop.item (v) VALUES (1000)');
      },
    };
    let seconds = 0;
    const second: Switch = { ...failing(), do: async () => void seconds++ };
    const consumers = [
      { switch: first, account: consumerAccount },
      { switch: second, account: consumerAccount },
    ];
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
        code: 'NOT_QUIESCENT',
        message: expect.stringContaining('not fenced any more') as string,
      });
    }
    expect(seen).toEqual([{ readOnly: 'ON', superReadOnly: 'ON' }]);
    expect(seconds).toBe(0);
    // A person fenced it again, and retries.
    await source.query('SET GLOBAL super_read_only = ON');
    await cutOver({ ...job, consumers }, options());
    expect(seconds).toBe(1);
  });

  it('reverts nothing once the target has taken a write', async () => {
    const consumers = [
      { switch: fileSwitch(), account: consumerAccount },
      {
        switch: failing(async () => {
          await using app = await openConnection(consumerAccount);
          await app.query('INSERT INTO shop.item (v) VALUES (1000)');
        }),
        account: consumerAccount,
      },
    ];
    await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
      code: 'SWITCH_FAILED',
      message: expect.stringContaining('nothing is reverted') as string,
    });
    expect(await fileText()).toBe('DB=new:3306\n');
    expect(await readFence()).toMatchObject({ superReadOnly: true });
    expect(await settleCutover(job, options())).toMatchObject({ switched: true });
  });

  it('reverts nothing while a consumer is logged in to the target, or its account is not known', async () => {
    await using app = await openConnection(consumerAccount);
    const consumers = [
      { switch: fileSwitch(), account: consumerAccount },
      { switch: failing(), account: consumerAccount },
    ];
    await expect(cutOver({ ...job, consumers }, options())).rejects.toMatchObject({
      message: expect.stringContaining('logged in') as string,
    });
    await app.query('SELECT 1');
    expect(await fileText()).toBe('DB=new:3306\n');
    // The endpoint was repaired: it goes forward.
    const repaired = [
      consumers[0]!,
      { switch: { ...failing(), do: async () => {} }, account: null },
    ];
    await cutOver({ ...job, consumers: repaired }, options());
    expect(await readFence()).toMatchObject({ superReadOnly: true });
  });
});
