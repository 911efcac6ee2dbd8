import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import { look } from '../../src/sandbox/demo/follow.ts';
import { stallAfter } from '../fault-proxy.ts';
import type { Application } from './application.ts';
import { QUIET } from './application.ts';
import type { Run, WorkerProcess } from './lab.ts';
import { eventually, ScenarioLab } from './lab.ts';

/**
 * Workers as they are installed, each a process of its own, killed or frozen at one exact place while an
 * application writes; then another goes on, and the rows of both servers are compared. The place is
 * held by what is outside of the worker: a lock on the target, or a network that stalls.
 *
 * What is proved elsewhere, by aborts and killed sessions at the engines' level, at random or at every
 * step: test/copy/copy-tables.test.ts (stopped between chunks, epoch taken), test/replicate/
 * interruptions.test.ts (aborted at any moment, second applier), test/cutover/cutover.test.ts (killed
 * before every step). A worker that is lost during the load and again during catch-up, with a ledger of
 * every acknowledged transaction: test/e2e/migration.test.ts.
 */
let lab: ScenarioLab;
let worker: WorkerProcess;
let application: Application;

beforeAll(async () => {
  lab = await ScenarioLab.open();
  worker = lab.startWorker();
});
afterAll(async () => {
  await application.stop();
  await lab.close();
});
afterEach(() => {
  lab.toSource.release();
  lab.toTarget.release();
});

function killAndReplace(): void {
  worker.kill();
  worker = lab.startWorker();
}

describe('while rows are copied and compared', () => {
  let run: Run;

  test('mid-chunk', async () => {
    application = await lab.seed();
    // Nothing but rows makes a connection to the source carry so much.
    lab.toSource.fault = stallAfter(600_000, 'to-client');
    run = await lab.migrate('mid-chunk', { chunkRows: 50_000 });
    await lab.toSource.untilMet('stall');
    await eventually('rows of an open chunk', async () => (await openRows()) > 1000);
    killAndReplace();
    lab.toSource.release();
    expect(await differencesInTheEnd()).toEqual({});
  });

  test("after the target's commit, before the heartbeat", async () => {
    application = await lab.seed();
    run = await lab.migrate('after-commit', { chunkRows: 200 });
    await eventually('cut', async () => (await chunks()).cut > 20);
    // From now on the worker hears 300 ms late that a chunk is committed.
    lab.toTarget.delay(300, 'to-client');
    const { done } = await chunks();
    await eventually('one more chunk committed', async () => (await chunks()).done > done);
    const committed = (await chunks()).done;
    killAndReplace();
    lab.toTarget.release();
    const { activities } = await look(run.handle);
    const told = activities.find(({ type }) => type === 'copyTables')?.progress?.copy?.chunksDone;
    expect(told ?? 0).toBeLessThan(committed);
    expect(await differencesInTheEnd()).toEqual({});
  });

  test('during verification', async () => {
    application = await lab.seed();
    run = await lab.migrate('verification');
    await run.until('verifying', ({ phase, activities }) => {
      if (phase === 'catching-up') lab.toTarget.fault = stallAfter(200_000, 'to-client');
      return phase === 'verifying' && activities.some(({ type }) => type === 'verifyTables');
    });
    await lab.toTarget.untilMet('stall');
    killAndReplace();
    lab.toTarget.release();
    expect(await differencesInTheEnd()).toEqual({});
  });

  async function chunks(): Promise<{ cut: number; done: number }> {
    const [row] = await lab
      .query(
        lab.sandbox.target.superuser,
        'SELECT COUNT(*) AS cut, COALESCE(SUM(done), 0) AS done FROM skyferry.copied_chunk WHERE migration = ?',
        [run.name],
      )
      .catch(() => []);
    return { cut: Number(row?.['cut'] ?? 0), done: Number(row?.['done'] ?? 0) };
  }

  /** Rows that differ once the migration has come to where it waits for a person. */
  async function differencesInTheEnd(): Promise<Record<string, string>> {
    await run.untilPhase('awaiting-approval');
    await application.stop();
    const found = await run.differences();
    if (application.transactions < 50) throw new Error('the application hardly wrote');
    await run.abort();
    return found;
  }
});

describe('while changes are applied and the database is switched', () => {
  let run: Run;
  beforeAll(async () => {
    application = await lab.seed();
    run = await lab.migrate('live');
    await run.untilPhase('awaiting-approval');
  });

  // First, while few rows have been touched since they were compared.
  test('after the fence, before recording it', { timeout: 120_000 }, async () => {
    lab.toSource.delay(25, 'to-client');
    await run.update('approve-cutover');
    await eventually('to be fenced', async () => (await run.cutover()).fencedAt !== undefined);
    // From now on the worker hears late what it has done.
    lab.toSource.delay(300, 'to-client');
    await eventually('fenced', fenced);
    killAndReplace();
    lab.toSource.release();
    // What was to be done is recorded, that it was done is not.
    const { fencedAt, position } = await run.cutover();
    expect([fencedAt, position]).toEqual([expect.any(String), undefined]);
    await takenBack();
  });

  test('between fence and switch', { timeout: 120_000 }, async () => {
    await run.update('approve-cutover');
    await eventually('fenced', fenced);
    lab.toSource.delay(80, 'to-client');
    await eventually(
      'quiescence recorded',
      async () => (await run.cutover()).position !== undefined,
    );
    killAndReplace();
    lab.toSource.release();
    expect(await run.application()).toContain(`:${lab.sandbox.state.ports.source}`);
    await takenBack();
  });

  test('mid-transaction', async () => {
    await using locker = await lockOnTarget(QUIET.from + 900);
    await inOneTransaction(
      ...[0, 300, 600, 900].map((from) => updateQuiet(from, from + 299)),
      "INSERT INTO journal SELECT 'big', id FROM customer WHERE id < 500",
      updateQuiet(900, 1200),
    );
    await appliedHalf();
    killAndReplace();
    await locker.query('ROLLBACK');
    expect(await differencesNow()).toEqual({});
  });

  test('between two row events of one statement', async () => {
    await using locker = await lockOnTarget(QUIET.from + 1500);
    // Some 100 row events: one holds 8 kB.
    await inOneTransaction(updateQuiet(0, 2999));
    await appliedHalf();
    killAndReplace();
    await locker.query('ROLLBACK');
    expect(await differencesNow()).toEqual({});
  });

  test('SIGSTOP past the heartbeat timeout, then SIGCONT', async () => {
    const frozen = worker;
    await using locker = await lockOnTarget(QUIET.from + 1500);
    await inOneTransaction(updateQuiet(0, 2999));
    await appliedHalf();
    const before = await run.checkpoint();
    frozen.freeze();
    // Its statement goes on without it, and its transaction stays open with what it has changed.
    await locker.query('ROLLBACK');
    worker = lab.startWorker();
    // Temporal would hand the frozen worker tasks for another minute, as long as a poll may last.
    await lab.restartTemporal();
    await run.untilApplied();
    const taken = await run.checkpoint();
    expect(taken?.epoch).toBeGreaterThan(before?.epoch ?? 0n);
    await inOneTransaction(updateQuiet(0, 2999));
    await run.untilApplied();
    frozen.thaw();
    await sleep(2000);
    // The zombie, which goes on polling as a worker, has taken nothing back and changed nothing.
    expect((await run.checkpoint())?.epoch).toBe(taken?.epoch);
    expect(await differencesNow()).toEqual({});
    await frozen.stop();
  });

  test('worker redeployed: SIGTERM, then a new process', async () => {
    const before = await run.attempts('applyChanges');
    const [ended] = await Promise.all([
      worker.stop(),
      sleep(200).then(() => (worker = lab.startWorker())),
    ]);
    expect(ended).toBe('exit status 0');
    await eventually('handed over', async () => (await run.attempts('applyChanges')) > before);
    expect(await differencesNow()).toEqual({});
  });

  test('Temporal server restart', async () => {
    await lab.restartTemporal();
    await run.until('applying again', ({ activities }) =>
      activities.some(({ type, progress }) => {
        const age = Date.now() - Date.parse(progress?.at ?? '1970-01-01');
        return type === 'applyChanges' && age < 2000;
      }),
    );
    expect(await differencesNow()).toEqual({});
  });

  test('after all of them: switched', async () => {
    await run.update('approve-cutover');
    await run.handle.result();
    await application.stop();
    expect(await run.application()).toContain(`:${lab.sandbox.state.ports.target}`);
    expect(await run.differences()).toEqual({});
  });

  async function fenced(): Promise<boolean> {
    const [row] = await lab.query(
      lab.sandbox.source.superuser,
      'SELECT @@GLOBAL.super_read_only AS fenced',
    );
    return Number(row?.['fenced']) === 1;
  }

  /** The source takes writes again, changes go on being applied, and a person is asked anew. */
  async function takenBack(): Promise<void> {
    await eventually('un-fenced', async () => !(await fenced()));
    const writes = application.transactions;
    await eventually('parked', async () => (await look(run.handle)).phase === 'parked');
    await run.update('retry-phase');
    await run.untilPhase('awaiting-approval');
    expect(await differencesNow()).toEqual({});
    expect(application.transactions).toBeGreaterThan(writes);
  }

  /** The application pauses, everything is applied, the rows are compared, the application goes on. */
  async function differencesNow(): Promise<Record<string, string>> {
    await sleep(500);
    await application.stop();
    const found = await run.differences();
    application = lab.resume(application.transactions);
    return found;
  }

  async function lockOnTarget(customer: number): Promise<Connection> {
    const locker = await openConnection(lab.sandbox.target.superuser, { database: 'shop' });
    await locker.query('BEGIN');
    await locker.query('SELECT id FROM customer WHERE id = ? FOR UPDATE', [customer]);
    return locker;
  }

  /** A transaction of the change capture that has changed rows waits for the lock. */
  async function appliedHalf(): Promise<void> {
    await eventually('half applied', async () => (await openRows('LOCK WAIT')) > 200);
  }

  async function inOneTransaction(...statements: string[]): Promise<void> {
    await using source = await openConnection(lab.sandbox.source.app, { database: 'shop' });
    await source.query('BEGIN');
    for (const statement of statements) await source.query(statement);
    await source.query('COMMIT');
  }
});

const updateQuiet = (from: number, to: number) =>
  `UPDATE customer SET visits = visits + 1, note = CONCAT('v', LEFT(note, 300))
    WHERE id BETWEEN ${QUIET.from + from} AND ${QUIET.from + to}`;

/** Rows that open transactions on the target have changed. */
async function openRows(state = '%'): Promise<number> {
  // The server refreshes this table only when nobody has read it for 100 ms.
  await sleep(150);
  const [row] = await lab.query(
    lab.sandbox.target.superuser,
    'SELECT COALESCE(SUM(trx_rows_modified), 0) AS n FROM information_schema.innodb_trx WHERE trx_state LIKE ?',
    [state],
  );
  return Number(row?.['n']);
}
