import { Context } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhaseRecord } from '../../src/workflows/messages.ts';
import { config, planHash } from './config.ts';
import { Lab } from './lab.ts';
import { failing, forever, found, inTurn, position, scripted, window } from './scripted.ts';

const usual = scripted().activities;
let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => {
  await lab.clear();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

const names = (history: readonly PhaseRecord[]) => history.map(({ phase }) => phase);
const toApproval = [
  'preflight',
  'provisioning',
  'full-load',
  'catching-up',
  'verifying',
  'awaiting-window',
  'awaiting-approval',
];

describe('the way through', () => {
  test('goes through every phase in order and ends with the report', async () => {
    const run = await lab.start({}, config);
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'ann', planHash, note: 'go' });
    const report = await run.result();
    expect(names(report.status.history)).toEqual([...toApproval, 'cutting-over', 'completed']);
    expect(report.status.history.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
    expect(report.status.switchedAt).toBe(report.cutover?.switchedAt);
    expect(report.status.unfenceCommand).toMatch(/super_read_only = OFF/);
    expect(report.copy?.rows).toBe(10);
    expect(run.calls).toContain('applyChanges');
    expect(run.calls.filter((call) => call !== 'applyChanges')).toEqual([
      'listSearchAttributes',
      'openMigration',
      'runPreflight',
      'makePlan',
      'provision',
      'createTables',
      'copyTables',
      'converge',
      'buildIndexes',
      'createViewsAndRoutines',
      'awaitLag',
      'verifyTables',
      'watchLag',
      'readLag',
      'cutOver',
      'completeMigration',
    ]);
  });

  test('needs nobody when no approval is required', async () => {
    const run = await lab.start({}, (name) => config(name, { approval: { required: false } }));
    expect((await run.result()).status.phase).toBe('completed');
  });

  test('labels its runs with the search attributes that are registered, and shows where it is', async () => {
    const run = await lab.start(
      { listSearchAttributes: async () => ['SkyferryPhase', 'SkyferryMigration', 'Other'] },
      config,
    );
    await run.untilPhase('awaiting-approval');
    const { searchAttributes } = await run.handle.describe();
    expect(searchAttributes['SkyferryPhase']).toEqual(['awaiting-approval']);
    const details = await run.details();
    expect(details).toContain('- [x] verifying');
    expect(details).toContain('- [ ] **awaiting-approval**');
    expect(details).toContain(
      `temporal workflow signal -w ${run.handle.workflowId} --name approve-cutover --input '{"by":"YOU","planHash":"${planHash}"}'`,
    );
  });

  test('waits for the window, then for a person', async () => {
    const run = await lab.start({ resolveWindow: async () => window(1_500, 60_000) }, (name) =>
      config(name, { window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' } }),
    );
    const waiting = await run.until((s) => s.phase === 'awaiting-window' && s.window !== undefined);
    expect(waiting.window?.open).toBe(false);
    const open = await run.untilPhase('awaiting-approval');
    expect(open.window?.open).toBe(true);
  });

  test('a window that closes brings back the wait for the next one', async () => {
    const run = await lab.start(
      {
        resolveWindow: inTurn(
          async () => window(0, 1_500),
          async () => window(60_000, 120_000),
        ),
      },
      (name) => config(name, { window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' } }),
    );
    await run.untilPhase('awaiting-approval');
    const back = await run.until((s) => s.phase === 'awaiting-window' && s.window?.open === false);
    expect(names(back.history)).toEqual([...toApproval, 'awaiting-window']);
  });

  test('lag that rises while it waits brings back catching-up, without comparing everything again', async () => {
    const run = await lab.start(
      { watchLag: inTurn(async () => ({ lagMs: 9_000 }), forever) },
      config,
    );
    const status = await run.until((s) => s.history.length === toApproval.length + 3);
    expect(names(status.history)).toEqual([
      ...toApproval,
      'catching-up',
      'awaiting-window',
      'awaiting-approval',
    ]);
    expect(run.calls.filter((call) => call === 'verifyTables')).toHaveLength(1);
  });

  test('lag is read once more before the cutover', async () => {
    const run = await lab.start(
      {
        readLag: inTurn(
          async () => ({ lagMs: 60_000 }),
          async () => ({ lagMs: 10 }),
        ),
      },
      (name) => config(name, { approval: { required: false } }),
    );
    const { status } = await run.result();
    expect(names(status.history).filter((phase) => phase === 'catching-up')).toHaveLength(2);
  });
});

describe('start', () => {
  test('refuses an input that is no configuration, with all that is wrong', async () => {
    const run = await lab.start({}, config, { args: [{ name: 'Not A Name', surprise: 1 }] });
    const error = await run.failure();
    expect(error).toMatch(/CONFIG_INVALID/);
    expect(error).toMatch(/name: must be 1-63/);
    expect(error).toMatch(/surprise: unknown key/);
    expect(error).toMatch(/source/);
  });

  test('ends with the reason when the name is taken by another migration', async () => {
    const run = await lab.start(
      { openMigration: failing('MIGRATION_CONFLICT', 'migration x is already completed') },
      config,
    );
    expect(await run.failure()).toMatch(/already completed/);
    expect(run.calls).not.toContain('runPreflight');
    expect(await run.status()).toMatchObject({
      phase: 'failed',
      failure: { code: 'MIGRATION_CONFLICT', message: 'migration x is already completed' },
    });
  });
});

describe('parking', () => {
  test('blockers park the preflight; retry-phase checks again', async () => {
    const run = await lab.start(
      {
        runPreflight: inTurn(
          async () =>
            found({
              code: 'LOG_BIN',
              severity: 'blocker',
              found: 'log_bin is OFF',
              fix: 'turn it on',
            }),
          usual.runPreflight,
        ),
      },
      config,
    );
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('preflight');
    expect(parked.failure?.code).toBe('PREFLIGHT_BLOCKED');
    expect(parked.blockers).toContain('log_bin is OFF');
    expect(run.calls).not.toContain('provision');
    await run.send('retry-phase');
    await run.untilPhase('awaiting-approval');
  });

  test.for([
    ['provision', 'provisioning'],
    ['copyTables', 'full-load'],
    ['buildIndexes', 'full-load'],
    ['awaitLag', 'catching-up'],
    ['verifyTables', 'verifying'],
    ['watchLag', 'awaiting-approval'],
  ] as const)(
    'a failure of %s parks %s with what to do, and retry-phase takes it up',
    async ([name, phase]) => {
      const run = await lab.start(
        {
          [name]: inTurn(
            failing('STATEMENT_FAILED', 'disk full'),
            usual[name] as () => Promise<never>,
          ),
        },
        config,
      );
      const parked = await run.untilPhase('parked');
      expect(parked.parkedIn).toBe(phase);
      expect(parked.failure).toEqual({
        code: 'STATEMENT_FAILED',
        message: 'disk full',
        safe: 'the source takes writes',
        next: 'try again',
      });
      await run.send('retry-phase');
      const status = await run.until((s) => s.phase === 'awaiting-approval');
      expect(status.failure).toBeUndefined();
    },
  );

  test('attempts that are used up park as well', { timeout: 120_000 }, async () => {
    let attempts = 0;
    const run = await lab.start(
      {
        settleCutover: usual.settleCutover,
        cutOver: async () => {
          attempts++;
          throw new Error('as scripted');
        },
      },
      (name) => config(name, { approval: { required: false } }),
    );
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('cutting-over');
    expect(attempts).toBe(1);
  });

  test('rows that differ park the verification', async () => {
    const run = await lab.start(
      {
        verifyTables: async () => ({
          equal: false,
          position,
          rows: 10,
          seconds: 1,
          differing: 3,
          tables: [{ table: 'shop.orders', rows: 10, chunks: 1, digest: 'd', differing: 3 }],
        }),
      },
      config,
    );
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('verifying');
    expect(parked.failure?.code).toBe('ROWS_DIFFER');
    expect(parked.failure?.message).toBe('3 rows differ in shop.orders');
  });

  test('schemas without a table prove nothing, and are not called rows that differ', async () => {
    const run = await lab.start(
      {
        verifyTables: async () => ({
          equal: false,
          position,
          rows: 0,
          seconds: 1,
          differing: 0,
          tables: [],
        }),
      },
      config,
    );
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('verifying');
    expect(parked.failure?.message).toBe('nothing was compared: the schemas hold no tables');
  });

  test('a change capture that fails parks the phase it runs behind, and starts again with it', async () => {
    const run = await lab.start(
      { applyChanges: inTurn(failing('SCHEMA_CHANGED', 'ALTER TABLE in the binlog'), forever) },
      config,
    );
    const parked = await run.untilPhase('parked');
    expect(parked.failure?.code).toBe('SCHEMA_CHANGED');
    await run.send('retry-phase');
    await run.untilPhase('awaiting-approval');
    expect(run.calls.filter((call) => call === 'applyChanges')).toHaveLength(2);
  });
});

describe('cutover', () => {
  test('a failure before the switch is taken back; a retry needs a fresh approval', async () => {
    const run = await lab.start(
      { cutOver: inTurn(failing('DOWNTIME_EXCEEDED', 'the budget ran out'), usual.cutOver) },
      config,
    );
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'ann' });
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('cutting-over');
    expect(parked.failure?.code).toBe('DOWNTIME_EXCEEDED');
    expect(parked.approval).toBeUndefined();
    expect(parked.nextSteps.join()).toContain('skyferry retry');
    expect(parked.nextSteps.join()).not.toContain('approve-cutover');
    expect(parked.switchedAt).toBeUndefined();
    expect(names(parked.history).slice(-3)).toEqual(['cutting-over', 'rolled-back', 'parked']);
    await run.send('retry-phase');
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'bob' });
    expect((await run.result()).status.phase).toBe('completed');
  });

  test('rows that differ at the fence call for a whole comparison', async () => {
    const run = await lab.start(
      { cutOver: inTurn(failing('ROWS_DIFFER', 'two keys differ'), usual.cutOver) },
      (name) => config(name, { approval: { required: false } }),
    );
    await run.untilPhase('parked');
    await run.send('retry-phase');
    await run.result();
    expect(run.calls.filter((call) => call === 'verifyTables')).toHaveLength(2);
  });

  test('of a cutover that went silent nobody knows what it showed: all is compared again', async () => {
    // It notices the end of its worker, and heart-beats never.
    const silent = async () => await Context.current().cancelled;
    const run = await lab.start({ cutOver: inTurn(silent, usual.cutOver) }, (name) =>
      config(name, { approval: { required: false } }),
    );
    const parked = await run.until(({ phase }) => phase === 'parked', 30_000);
    expect(parked.failure?.code).toBe('TIMEOUT');
    expect(run.calls.filter((call) => call === 'settleCutover')).toHaveLength(1);
    expect((await run.report()).verification).toBeNull();
    await run.send('retry-phase');
    expect((await run.result()).status.phase).toBe('completed');
    expect(run.calls.filter((call) => call === 'verifyTables')).toHaveLength(2);
    expect(run.calls.filter((call) => call === 'cutOver')).toHaveLength(2);
  });

  test('a cutover that fails after the switch goes forward, not back', async () => {
    const run = await lab.start(
      {
        cutOver: inTurn(failing('SWITCH_FAILED', 'second consumer'), usual.cutOver),
        settleCutover: async () => ({ switched: true, unfenceCommand: 'SET …' }),
      },
      (name) => config(name, { approval: { required: false } }),
    );
    const { status } = await run.result();
    expect(names(status.history).slice(-2)).toEqual(['cutting-over', 'completed']);
    expect(run.calls.filter((call) => call === 'cutOver')).toHaveLength(2);
  });

  test('what cannot be found out is found out before anything else happens', async () => {
    const run = await lab.start(
      {
        cutOver: failing('CONNECTION_LOST'),
        settleCutover: inTurn(
          failing('ACCESS_DENIED', 'fence account refused'),
          usual.settleCutover,
        ),
      },
      (name) => config(name, { approval: { required: false } }),
    );
    const parked = await run.untilPhase('parked');
    expect(parked.blockers).toContain('the source may still be fenced');
    expect(parked.failure?.next).toContain('lift the fence that the plan names by hand');
    await run.send('retry-phase');
    await run.until(
      (s) => s.phase === 'parked' && !s.blockers.includes('the source may still be fenced'),
    );
    expect(run.calls.filter((call) => call === 'cutOver')).toHaveLength(1);
  });
});
