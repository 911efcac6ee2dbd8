import type { temporal } from '@temporalio/proto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Phase } from '../../src/workflows/messages.ts';
import { config, planHash } from './config.ts';
import { Lab } from './lab.ts';
import type { Script } from './scripted.ts';
import { failing, forever, inTurn, scripted, window } from './scripted.ts';

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

describe('approval', () => {
  test('early, malformed, for another plan, repeated and late ones are shown as refused', async () => {
    const run = await lab.start({ copyTables: inTurn(forever, usual.copyTables) }, config);
    // A pause that came before the copy began would leave it to the resumed one to run for ever.
    await run.calledFor('copyTables');
    await run.send('approve-cutover', { by: 'early' });
    await run.send('pause');
    await run.until((s) => s.paused);
    await run.send('resume');
    await run.untilPhase('awaiting-approval');
    await run.handle.signal('approve-cutover');
    await run.send('approve-cutover', { by: 7 });
    await run.send('approve-cutover', 'yes');
    await run.send('approve-cutover', { by: 'x', planHash: 'b'.repeat(64) });
    expect((await run.status()).phase).toBe('awaiting-approval');
    await run.send('pause');
    await run.send('approve-cutover', { by: 'ann', planHash });
    await run.send('approve-cutover', { by: 'again' });
    await run.send('resume');
    const report = await run.result();
    const approvals = report.status.messages.filter(({ name }) => name === 'approve-cutover');
    expect(approvals.map(({ outcome, reason }) => [outcome, reason?.split(':')[0]])).toEqual([
      ['refused', 'early'],
      ['refused', 'malformed'],
      ['refused', 'malformed'],
      ['refused', 'malformed'],
      ['refused', "the plan hash is not this run's, " + planHash],
      ['accepted', undefined],
      ['refused', 'repeated'],
    ]);
  });

  test('late ones too', async () => {
    const run = await lab.start({ cutOver: inTurn(forever) }, config);
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'ann' });
    await run.untilPhase('cutting-over');
    await run.send('approve-cutover', { by: 'bob' });
    const status = await run.until((s) => s.messages.length === 2);
    expect(status.messages[1]).toMatchObject({ outcome: 'refused', reason: /^late/ });
  });

  test('is taken from verifying on, and counts when the window opens', async () => {
    const run = await lab.start({ resolveWindow: async () => window(1_500, 60_000) }, (name) =>
      config(name, { window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' } }),
    );
    await run.untilPhase('awaiting-window');
    await run.send('approve-cutover', { by: 'ann' });
    const { status } = await run.result();
    expect(status.phase).toBe('completed');
  });

  test('expires', async () => {
    const run = await lab.start({ resolveWindow: async () => window(60_000, 90_000) }, (name) =>
      config(name, {
        window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' },
        approval: { expiresAfter: '1s' },
      }),
    );
    await run.untilPhase('awaiting-window');
    await run.send('approve-cutover', { by: 'ann' });
    await run.until((s) => s.approval !== undefined);
    const status = await run.until((s) => s.approval === undefined);
    expect(status.milestones.at(-1)?.text).toBe('the approval by ann expired');
    await run.send('approve-cutover', { by: 'bob' });
    await run.until((s) => s.approval?.by === 'bob');
  });

  test('can be rejected, which takes it back', async () => {
    const run = await lab.start({}, config);
    await run.untilPhase('awaiting-approval');
    await run.send('pause');
    await run.send('approve-cutover', { by: 'ann' });
    await run.send('reject-cutover', { by: 'bob', reason: 'quarter end' });
    await run.send('resume');
    const status = await run.until((s) => !s.paused);
    expect(status.approval).toBeUndefined();
    expect(status.blockers).toContain('the cutover was rejected by bob: quarter end');
    expect(status.phase).toBe('awaiting-approval');
  });
});

describe('pause and resume', () => {
  test('a paused copy is cancelled and taken up again', async () => {
    const run = await lab.start({ copyTables: inTurn(forever, usual.copyTables) }, config);
    await run.until((s) => s.phase === 'full-load');
    await run.calledFor('copyTables');
    await run.send('pause', { by: 'ann', reason: 'busy hour' });
    const paused = await run.until((s) => s.paused);
    expect(paused.phase).toBe('full-load');
    expect(paused.nextSteps.join()).toMatch(/--name resume/);
    await run.untilActivities();
    await run.send('resume');
    await run.untilPhase('awaiting-approval');
    expect(run.calls.filter((call) => call === 'copyTables')).toHaveLength(2);
  });

  test('changes go on being applied while a waiting phase is paused', async () => {
    const run = await lab.start({}, config);
    await run.untilPhase('awaiting-approval');
    await run.send('pause');
    const paused = await run.until((s) => s.paused);
    expect(paused.blockers[0]).toBe('paused; changes go on being applied');
    await run.send('approve-cutover', { by: 'ann' });
    await run.until((s) => s.approval !== undefined);
    expect((await run.status()).phase).toBe('awaiting-approval');
    await run.untilActivities('applyChanges');
    await run.send('resume');
    expect((await run.result()).status.phase).toBe('completed');
  });

  test('a cutover that is paused before the switch is taken back and waits for a fresh approval', async () => {
    const run = await lab.start({ cutOver: inTurn(forever, usual.cutOver) }, config);
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover', { by: 'ann' });
    await run.calledFor('cutOver');
    await run.send('pause', { by: 'bob' });
    const status = await run.untilPhase('awaiting-window');
    expect(status.approval).toBeUndefined();
    expect(run.calls).toContain('settleCutover');
    await run.send('resume');
    await run.untilPhase('awaiting-approval');
  });
});

describe('abort', () => {
  const holding: [Phase, Script][] = [
    ['preflight', { runPreflight: forever }],
    ['provisioning', { provision: forever }],
    ['full-load', { copyTables: forever }],
    ['catching-up', { awaitLag: forever }],
    ['verifying', { verifyTables: forever }],
    ['awaiting-window', { resolveWindow: async () => window(60_000, 90_000) }],
    ['awaiting-approval', {}],
    ['parked', { provision: failing('ACCESS_DENIED') }],
  ];
  test.for(holding)('in %s', async ([phase, script]) => {
    const run = await lab.start(script, (name) =>
      config(name, {
        ...(phase === 'awaiting-window' && {
          window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' },
        }),
      }),
    );
    await run.untilPhase(phase);
    await run.send('abort', { by: 'ann', reason: 'not today' });
    const report = await run.result();
    expect(report.status.phase).toBe('aborted');
    expect(report.aborted?.undone).toEqual(['removed the checkpoint']);
    expect((await run.pendingActivities()).filter((name) => name !== 'watchLag')).toEqual([]);
  });

  test('in cutting-over, before the switch: the cutover is taken back first', async () => {
    const run = await lab.start({ cutOver: forever }, (name) =>
      config(name, { approval: { required: false } }),
    );
    await run.calledFor('cutOver');
    await run.send('abort');
    expect((await run.result()).status.phase).toBe('aborted');
    expect(run.calls.slice(-2)).toEqual(['settleCutover', 'abortMigration']);
  });

  test('that arrives after the switch has begun is refused, and the cutover goes on', async () => {
    const run = await lab.start(
      { cutOver: inTurn(forever, usual.cutOver), settleCutover: async () => ({ switched: true }) },
      (name) => config(name, { approval: { required: false } }),
    );
    await run.calledFor('cutOver');
    await run.send('abort');
    const { status } = await run.result();
    expect(status.phase).toBe('completed');
    expect(status.messages.at(-1)).toMatchObject({ name: 'abort', outcome: 'refused' });
    expect(run.calls).not.toContain('abortMigration');
  });

  test('drops the target only when its name was typed', async () => {
    const dropped: boolean[] = [];
    const run = await lab.start(
      {
        abortMigration: async ({ dropTarget }) => {
          dropped.push(dropTarget);
          return { refused: false, undone: [] };
        },
      },
      config,
    );
    await run.untilPhase('awaiting-approval');
    await run.send('abort', { by: 'ann', dropTarget: 'another' });
    await run.until((s) => s.messages[0]?.outcome === 'refused');
    const name = run.handle.workflowId.replace('migration/', '');
    await run.send('abort', { by: 'ann', dropTarget: name });
    await run.result();
    expect(dropped).toEqual([true]);
  });

  test('that fails parks, and can be sent again', async () => {
    const run = await lab.start(
      { abortMigration: inTurn(failing('ACCESS_DENIED'), usual.abortMigration) },
      config,
    );
    await run.untilPhase('awaiting-approval');
    await run.send('abort');
    const parked = await run.untilPhase('parked');
    expect(parked.parkedIn).toBe('awaiting-approval');
    await run.send('abort');
    expect((await run.result()).status.phase).toBe('aborted');
  });
});

describe('what anybody may send', () => {
  test('unknown signals and nonsense are recorded and hurt nothing', async () => {
    const run = await lab.start({}, config);
    await run.untilPhase('awaiting-approval');
    await run.send('approve', { by: 'ann' });
    for (const input of [null, 1, [], 'x'.repeat(10_000), { by: {} }, { by: '' }]) {
      await run.send('abort', input);
    }
    await run.send('retry-phase');
    await run.send('resume');
    const { messages, phase } = await run.until((s) => s.messages.length === 9);
    expect(phase).toBe('awaiting-approval');
    expect(messages.every(({ outcome }) => outcome === 'refused')).toBe(true);
    expect(messages[0]).toMatchObject({ name: 'approve', reason: /^unknown/ });
    expect(JSON.stringify(messages).length).toBeLessThan(4_000);
  });

  test('an update is refused by its validator, without an event, and answers when it is taken', async () => {
    const run = await lab.start({}, config);
    await run.untilPhase('awaiting-approval');
    await expect(
      run.handle.executeUpdate('approve-cutover', { args: [{ by: 'ann', planHash: 'no' }] }),
    ).rejects.toMatchObject({ cause: { message: /plan hash/ } });
    await expect(
      run.handle.executeUpdate('retry-phase', { args: [{ by: 'a' }] }),
    ).rejects.toMatchObject({ cause: { message: /nothing is parked/ } });
    await expect(run.handle.executeUpdate('pause', { args: [{}] })).rejects.toMatchObject({
      cause: { message: /malformed/ },
    });
    expect((await run.events()).filter((type) => type.includes('UPDATE'))).toEqual([]);
    const { definition } = await run.handle.query<WorkflowMetadata>('__temporal_workflow_metadata');
    for (const { name, description } of definition?.updateDefinitions ?? []) {
      expect([name, description]).toEqual([name, expect.stringContaining('{"by": …')]);
    }
    expect(definition?.updateDefinitions).toHaveLength(8);
    const taken = await run.handle.executeUpdate('approve-cutover', { args: [{ by: 'ann' }] });
    expect(taken).toMatchObject({ by: 'ann', via: 'update', outcome: 'accepted' });
    await run.result();
  });
});

type WorkflowMetadata = temporal.api.sdk.v1.IWorkflowMetadata;
