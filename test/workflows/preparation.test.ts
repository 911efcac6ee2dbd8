import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CloudPlan } from '../../src/prepare/act.ts';
import { cloudConfig, planHash } from './config.ts';
import { Lab } from './lab.ts';
import { cloudPlan, failing, forever, inTurn, planned, surveyed } from './scripted.ts';

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

const hash = cloudPlan.hash;
const since = '2026-11-23T00:00:00.000Z';
const reboot = planned({
  name: 'aws/reboot',
  interrupts: 'the source for a minute',
  needsApproval: true,
  former: { gtid_mode: 'OFF' },
});
const server = planned({ name: 'azure/server', costs: '0.41 USD an hour', needsApproval: true });
const parameters = planned({ name: 'azure/load-parameters' });
const shrink = planned({ name: 'azure/run-size', when: 'before-window' });
const firewall = planned({ name: 'azure/remove-worker-firewall', when: 'completion' });
const plan: CloudPlan = {
  hash,
  source: surveyed({ acts: [reboot] }),
  target: surveyed({ acts: [server, parameters, shrink, firewall], address: null }),
};

describe('servers in clouds', () => {
  test('nothing is changed before a person approves; then each act is begun and completed once', async () => {
    const reached: unknown[] = [];
    const own: unknown[] = [];
    const run = await lab.start(
      {
        surveyClouds: inTurn(
          async () => plan,
          async () => plan,
          async () => cloudPlan,
        ),
        completeAct: async ({ act, begun, addresses, formers }) => {
          reached.push(addresses.target?.host);
          own.push(formers[act]);
          const note = `${act} done after ${begun.token}`;
          return act === server.name ? { note, address: { host: 'made', port: 3306 } } : { note };
        },
      },
      cloudConfig,
    );
    const waiting = await run.untilPhase('awaiting-preparation');
    expect(run.calls).toEqual(['listSearchAttributes', 'surveyClouds']);
    expect(waiting.blockers.join('\n')).toContain(
      'does aws/reboot; interrupts the source for a minute',
    );
    expect(waiting.blockers.join('\n')).toContain('costs 0.41 USD an hour');
    expect(waiting.nextSteps).toContainEqual(
      expect.stringContaining(`skyferry approve-preparation`),
    );
    await run.send('approve-cutover', { by: 'eve' });
    await run.send('approve-preparation', { by: 'eve', planHash: 'f'.repeat(64) });
    await run.send('approve-preparation', { by: 'ann', planHash: hash, note: 'go' });
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'ann', planHash });
    const report = await run.result();
    expect(report.status.history.map(({ phase }) => phase)).toEqual([
      'preflight',
      'awaiting-preparation',
      'preparing',
      'preflight',
      'provisioning',
      'full-load',
      'catching-up',
      'resizing',
      'catching-up',
      'verifying',
      'awaiting-window',
      'awaiting-approval',
      'cutting-over',
      'completed',
    ]);
    const acts = run.calls.filter((call) => call.endsWith('Act'));
    expect(acts).toEqual(Array.from({ length: 5 }).flatMap(() => ['beginAct', 'completeAct']));
    expect(report.status.messages.map(({ outcome }) => outcome)).toEqual([
      'refused',
      'refused',
      'accepted',
      'accepted',
    ]);
    expect(report.status.preparation?.acts.map(({ done }) => done)).toEqual([
      'aws/reboot done after t:aws/reboot',
      'azure/server done after t:azure/server',
      'azure/load-parameters done after t:azure/load-parameters',
      'azure/run-size done after t:azure/run-size',
      'azure/remove-worker-firewall done after t:azure/remove-worker-firewall',
    ]);
    expect(own[0]).toEqual(reboot.former);
    expect(reached).toEqual([undefined, undefined, 'made', 'db.example', 'db.example']);
    const history = await run.historyText();
    expect(history).toContain('"formers":{"aws/reboot":{"gtid_mode":"OFF"}}');
  });

  test('what needs nobody is done by itself; servers that are ready go straight on', async () => {
    const free = { ...plan, source: surveyed({}), target: surveyed({ acts: [shrink] }) };
    const run = await lab.start({ surveyClouds: async () => free }, cloudConfig);
    const status = await run.untilPhase('awaiting-approval');
    expect(status.history.map(({ phase }) => phase)).not.toContain('awaiting-preparation');
    expect(run.calls.filter((call) => call === 'beginAct')).toHaveLength(1);
  });

  test.each([
    ['awaited after nobody could ask', 'CLOUD_BUSY', 't1'],
    ['begun once more after it failed', 'CLOUD_FAILED', 't2'],
  ] as const)('an act that was begun is %s', async (_what, code, token) => {
    let tokens = 0;
    const run = await lab.start(
      {
        surveyClouds: inTurn(
          async () => ({ ...plan, source: surveyed({}) }),
          async () => ({ ...plan, source: surveyed({}) }),
          async () => cloudPlan,
        ),
        beginAct: async () => ({ token: `t${++tokens}` }),
        completeAct: inTurn(failing(code), async ({ begun }) => ({
          note: `ready by ${begun.token}`,
        })),
      },
      cloudConfig,
    );
    await run.untilPhase('awaiting-preparation');
    await run.send('approve-preparation', { by: 'ann' });
    const parked = await run.untilPhase('parked');
    expect(parked).toMatchObject({ parkedIn: 'preparing', failure: { code } });
    await run.send('retry-phase', { by: 'ann' });
    const { preparation } = await run.untilPhase('awaiting-approval');
    expect(preparation?.acts[0]?.done).toBe(`ready by ${token}`);
  });

  test('a name that is taken parks once something was made for money, and abort takes it away', async () => {
    const run = await lab.start(
      {
        surveyClouds: inTurn(
          async () => plan,
          async () => plan,
          async () => cloudPlan,
        ),
        openMigration: failing('MIGRATION_CONFLICT', 'was started with another configuration'),
        abortMigration: async () => ({ refused: false, undone: [] }),
      },
      cloudConfig,
    );
    await run.untilPhase('awaiting-preparation');
    await run.send('approve-preparation', { by: 'ann' });
    const { failure } = await run.untilPhase('parked');
    expect(failure?.code).toBe('MIGRATION_CONFLICT');
    await run.send('abort', { by: 'ann' });
    expect((await run.result()).aborted?.undone).toEqual(['kept Azure server shop-new']);
  });

  test('what interrupts before the window is approved, though there is nothing to do at once', async () => {
    const resize = planned({
      name: 'azure/run-size',
      when: 'before-window',
      interrupts: 'the target for a minute',
      needsApproval: true,
    });
    const later = { ...plan, source: surveyed({}), target: surveyed({ acts: [resize] }) };
    const run = await lab.start({ surveyClouds: async () => later }, cloudConfig);
    await run.untilPhase('awaiting-preparation');
    expect(run.calls).not.toContain('beginAct');
    await run.send('approve-preparation', { by: 'ann', planHash: hash });
    await run.untilPhase('awaiting-approval');
    expect(run.calls.filter((call) => call === 'beginAct')).toHaveLength(1);
  });

  test('what has become different while a person thought about it is not done', async () => {
    const changed = {
      ...plan,
      hash: 'e'.repeat(64),
      source: surveyed({ acts: [{ ...reboot, interrupts: 'the source for an upgrade' }] }),
    };
    const run = await lab.start(
      {
        surveyClouds: inTurn(
          async () => plan,
          async () => changed,
        ),
      },
      cloudConfig,
    );
    await run.untilPhase('awaiting-preparation');
    await run.send('approve-preparation', { by: 'ann', planHash: hash });
    const status = await run.until(({ preparation }) => preparation?.planHash === changed.hash);
    expect(status.phase).toBe('awaiting-preparation');
    expect(status.blockers).toContainEqual(expect.stringContaining('an upgrade'));
    expect(run.calls).not.toContain('beginAct');
  });

  test('a blocker in a cloud stops before anything is changed', async () => {
    const blocked: CloudPlan = {
      ...plan,
      target: surveyed({
        findings: [{ code: 'azure-name', severity: 'blocker', found: 'the name is taken' }],
      }),
    };
    const run = await lab.start({ surveyClouds: async () => blocked }, cloudConfig);
    const parked = await run.untilPhase('parked');
    expect(parked.blockers).toContain('the name is taken');
    expect(run.calls).not.toContain('beginAct');
  });

  test('abort before the target exists asks the clouds alone, deletes only when told, and says what still costs', async () => {
    const asked: unknown[] = [];
    const costing = (resource: string) => ({ resource, hourly: 1, since });
    const run = await lab.start(
      {
        surveyClouds: async () => ({
          ...plan,
          target: { ...plan.target, running: [costing('server'), costing('service')] },
        }),
        completeAct: forever,
        undoClouds: async ({ deleteCreated, formers }) => {
          asked.push({ deleteCreated, formers });
          return { undone: ['removed Azure server shop-new'], running: [costing('service')] };
        },
      },
      cloudConfig,
    );
    await run.untilPhase('awaiting-preparation');
    await run.send('approve-preparation', { by: 'ann' });
    await run.calledFor('completeAct');
    await run.send('abort', { by: 'ann', deleteCreated: true });
    const report = await run.result();
    expect(report.status.phase).toBe('aborted');
    expect(report.status.preparation?.running).toEqual([costing('service')]);
    expect(report.status.preparation?.acts).toEqual([]);
    expect(report.status.undone).toEqual(['removed Azure server shop-new']);
    expect(report.aborted?.undone).toEqual(['removed Azure server shop-new']);
    expect(run.calls).not.toContain('abortMigration');
    expect(asked).toEqual([
      { deleteCreated: true, formers: { 'aws/reboot': { gtid_mode: 'OFF' } } },
    ]);
  });
});

describe("the source's binlog", () => {
  const lasts = { warning: null, next: null, raised: null, pause: null };

  test('a pause that would lose it is refused, and a warning is shown', async () => {
    const run = await lab.start(
      {
        surveyClouds: async () => cloudPlan,
        copyTables: forever,
        guardBinlog: async ({ known }) =>
          known === null
            ? { ...lasts, warning: 'kept 24 h', next: 'more storage', pause: 'would lose it' }
            : await forever(),
      },
      cloudConfig,
    );
    const status = await run.until(({ blockers }) => blockers.includes('kept 24 h'));
    expect(status.nextSteps).toContain('more storage');
    await run.send('pause', { by: 'ann' });
    const { messages, paused } = await run.until(({ messages: all }) => all.length > 0);
    expect(paused).toBe(false);
    expect(messages[0]).toMatchObject({ outcome: 'refused', reason: 'would lose it' });
  });

  test('is watched up to the switch, and not after it', async () => {
    const run = await lab.start({ surveyClouds: async () => cloudPlan }, cloudConfig);
    await run.untilPhase('awaiting-approval');
    expect(await run.pendingActivities()).toContain('guardBinlog');
    await run.send('approve-cutover', { by: 'ann', planHash });
    await run.result();
    expect(run.calls.filter((call) => call === 'guardBinlog')).toHaveLength(1);
  });
});
