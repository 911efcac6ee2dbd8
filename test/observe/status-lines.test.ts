import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { LiveActivity } from '../../src/observe/live-progress.ts';
import { statusLines } from '../../src/observe/status-lines.ts';
import type { MigrationStatus } from '../../src/workflows/messages.ts';

const status: MigrationStatus = {
  name: 'shop',
  runId: 'r',
  phase: 'full-load',
  way: [
    'preflight',
    'provisioning',
    'full-load',
    'catching-up',
    'verifying',
    'awaiting-window',
    'awaiting-approval',
    'cutting-over',
    'completed',
  ],
  paused: false,
  startedAt: '2026-05-01T00:00:00.000Z',
  history: [],
  blockers: [],
  nextSteps: [],
  messages: [],
  milestones: [],
};

const lines = (
  patch: Partial<MigrationStatus>,
  activities: LiveActivity[] = [],
  earlier: LiveActivity[] = [],
  stopped?: string,
): string =>
  stripVTControlCharacters(
    statusLines({
      status: { ...status, ...patch },
      activities,
      earlier,
      workers: 1,
      ...(stopped !== undefined && { stopped }),
      now: Date.parse('2026-05-01T00:01:00.000Z'),
    }).join('\n'),
  );

const copying = (rows: number): LiveActivity => ({
  type: 'copyTables',
  attempt: 1,
  startedAt: '2026-05-01T00:00:50.000Z',
  progress: {
    activity: 'copy',
    at: '2026-05-01T00:01:00.000Z',
    copy: { rows, bytes: 1, estimatedRows: 4000, chunksDone: 1, chunksTotal: 4, tables: [] },
  },
});

test('a copy by another engine shows what that says of itself', () => {
  const activity = copying(1000);
  const { progress } = activity;
  if (progress?.copy === undefined) throw new Error('it copies');
  const copy = { ...progress.copy, engine: 'Azure DMS: sync-1 Queued' };
  expect(lines({}, [{ ...activity, progress: { ...progress, copy } }])).toContain(
    '  Azure DMS: sync-1 Queued',
  );
});

test('a copy shows rows a second of its attempt and, as a guess, how long it takes yet', () => {
  expect(lines({}, [copying(1000)])).toContain('100 rows/s, ETA ~30.0 s');
});

test('a later attempt counts earlier rows: its rate is that of what was seen meanwhile', () => {
  const again = (rows: number, at: string): LiveActivity => {
    const { progress, ...activity } = copying(rows);
    return { ...activity, attempt: 2, progress: progress && { ...progress, at } };
  };
  const now = again(3000, '2026-05-01T00:01:00.000Z');
  expect(lines({}, [now])).not.toContain('rows/s');
  const before = again(2900, '2026-05-01T00:00:58.000Z');
  expect(lines({}, [now], [before])).toContain('50 rows/s, ETA ~20.0 s');
});

test('without rows, or beyond the estimate, nothing is guessed', () => {
  expect(lines({}, [copying(0)])).not.toContain('rows/s');
  expect(lines({}, [copying(5000)])).toContain('500 rows/s;');
});

test('a failure is said once, and so is what to do about it', () => {
  const failure = { code: 'ROWS_DIFFER', message: '3 rows differ', next: 'repair them' };
  const text = lines({
    phase: 'parked',
    parkedIn: 'verifying',
    failure,
    blockers: ['ROWS_DIFFER: 3 rows differ', 'the source may still be fenced'],
    nextSteps: ['repair them', 'skyferry retry shop'],
  });
  expect(text.split('3 rows differ')).toHaveLength(2);
  expect(text.split('repair them')).toHaveLength(2);
  expect(text).toContain('the source may still be fenced');
  expect(text).toContain('skyferry retry shop');
});

test('what stopped a migration that was aborted since is said, without anything to do about it', () => {
  const failure = { code: 'COPY_INEXACT', message: '9 warnings', next: 'compare, then retry' };
  const text = lines({ phase: 'aborted', parkedIn: 'full-load', failure });
  expect(text).toContain('COPY_INEXACT: 9 warnings');
  expect(text).not.toContain('retry');
});

test('an attempt that is tried again says why, also before it has told anything of itself', () => {
  const failure = 'CONNECTION_LOST: db.example: ECONNREFUSED';
  const { progress, ...silent } = { ...copying(1000), attempt: 3, failure };
  expect(lines({}, [{ ...silent, progress }])).toContain(`copy (attempt 3)`);
  expect(lines({}, [{ ...silent, progress }])).toContain(`tried again after ${failure}`);
  expect(lines({}, [{ ...silent, progress: undefined }])).toContain(`copyTables (attempt 3)`);
});

test('a workflow that was ended in Temporal is said to go on nowhere', () => {
  const text = lines({ phase: 'awaiting-approval' }, [], [], 'TERMINATED');
  expect(text).toContain('was ended in Temporal (TERMINATED)');
});

test('window, decisions, the switch and the way out of the fence are shown', () => {
  const text = lines({
    window: { opensAt: 'OPENS', closesAt: 'CLOSES', open: false },
    approval: { by: 'ann', at: 'APPROVED', expiresAt: 'EXPIRES' },
    rejection: { by: 'bob', at: 'REJECTED', reason: 'quarter end' },
    switchedAt: 'SWITCHED',
    unfenceCommand: 'SET GLOBAL super_read_only = OFF',
  });
  expect(text).toContain('window OPENS to CLOSES');
  expect(text).toContain('approved by ann at APPROVED, until EXPIRES');
  expect(text).toContain('rejected by bob at REJECTED: quarter end');
  expect(text).toContain('switched SWITCHED');
  expect(text).toContain('SET GLOBAL super_read_only = OFF');
});
