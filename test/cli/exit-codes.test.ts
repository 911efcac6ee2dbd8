import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfStatus } from '../../src/cli/exit-codes.ts';
import { errorEnvelope } from '../../src/cli/output.ts';
import { TemporalUnreachable } from '../../src/cli/temporal.ts';
import { SkyferryFailure } from '../../src/failures.ts';
import type { MigrationStatus, Phase } from '../../src/workflows/messages.ts';

function status(failure: string | undefined, ...phases: Phase[]): MigrationStatus {
  const at = '2026-05-01T00:00:00.000Z';
  return {
    name: 'shop',
    runId: 'r',
    phase: phases.at(-1) ?? 'preflight',
    way: [],
    paused: false,
    startedAt: at,
    history: phases.map((phase) => ({ phase, startedAt: at })),
    blockers: [],
    nextSteps: [],
    messages: [],
    milestones: [],
    ...(failure !== undefined && { failure: { code: failure, message: '' } }),
  };
}

test.each([
  [0, undefined, ['full-load']],
  [0, undefined, ['cutting-over', 'completed']],
  [4, undefined, ['verifying', 'awaiting-approval']],
  [4, undefined, ['preflight', 'awaiting-preparation']],
  [4, 'ACCESS_DENIED', ['full-load', 'parked']],
  [5, 'ROWS_DIFFER', ['verifying', 'parked']],
  [6, 'DOWNTIME_EXCEEDED', ['cutting-over', 'rolled-back', 'parked']],
  [6, 'SWITCH_FAILED', ['cutting-over', 'rolled-back', 'parked']],
  [4, 'SWITCH_FAILED', ['cutting-over', 'parked']],
] as const)('exit code %i with failure %s after %j', (code, failure, phases) => {
  expect(exitCodeOfStatus(status(failure, ...phases))).toBe(code);
});

test('what is paused waits for a person, wherever it is', () => {
  expect(exitCodeOfStatus({ ...status(undefined, 'full-load'), paused: true })).toBe(4);
  expect(exitCodeOfStatus({ ...status(undefined, 'aborted'), paused: true })).toBe(0);
});

test('an answering Temporal without a worker is told apart, by the code in the envelope', () => {
  const error = new TemporalUnreachable('none polls', 'skyferry worker', 'NO_WORKER');
  expect(exitCodeOf(error)).toBe(7);
  expect(errorEnvelope(error)).toEqual({
    status: 'error',
    error: { code: 'NO_WORKER', message: 'none polls', next: 'skyferry worker' },
    issues: [],
    next_steps: ['skyferry worker'],
  });
  expect(exitCodeOf(new SkyferryFailure('ROWS_DIFFER', 'they differ'))).toBe(5);
});
