import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { look } from '../../src/sandbox/demo/follow.ts';
import type { MigrationReport } from '../../src/workflows/results.ts';
import { killAt } from './clouds-kill.ts';
import { CloudsLab } from './clouds-lab.ts';
import { revoke } from './clouds-rights.ts';
import type { CloudsRun } from './clouds-run.ts';
import { prepared } from './clouds-run.ts';
import { leaks } from './clouds-secrets.ts';

// Each kill costs seconds on a machine that does other things as well.
vi.setConfig({ testTimeout: 120_000 });

/** RDS as it comes is prepared by workers that are killed in each act, at each place. */
let lab: CloudsLab;
let run: CloudsRun;
beforeAll(async () => {
  lab = await CloudsLab.open();
  lab.startWorker();
  run = await lab.migrate(lab.config);
});
afterAll(async () => {
  await lab.close();
});

const rds = (operation: string) => ({ service: 'rds', operation });
const poll = rds('DescribeDBInstances');

test('the preparation waits for a person', async () => {
  await run.untilPhase('awaiting-preparation');
  const { preparation } = await run.status();
  const names = preparation?.acts.map(({ name }) => name).filter((name) => name.startsWith('aws/'));
  expect(names).toEqual([
    'aws/parameter-group',
    'aws/attach-parameter-group',
    'aws/reboot',
    'aws/gtid-mode/on',
    'aws/reboot/on',
  ]);
  expect(await changes()).toEqual({ created: 0, set: 0, attached: 0, rebooted: 0 });
});

// `looks`: how often an act looks at the instance before it waits.
test('killed while the parameter group is made', async () => {
  const call = rds('CreateDBParameterGroup');
  const go = async () => await run.update('approve-preparation');
  expect(await killAt(lab, run, { at: 'before', call }, go)).toContain('beginAct');
  expect(await killAt(lab, run, { at: 'sent', call })).toContain('beginAct');
  expect(await killAt(lab, run, { at: 'polling', poll, looks: 2 })).toContain('completeAct');
});

test('a right that is missing is named, and the phase goes on once it is granted', async () => {
  const grant = revoke('rds:ModifyDBInstance');
  try {
    lab.startWorker();
    expect(await run.untilParked('rds:ModifyDBInstance')).toMatchObject({
      code: 'CLOUD_DENIED',
      next: expect.stringContaining('docs/aws-to-azure.md'),
    });
  } finally {
    grant();
  }
});

test.each([
  { act: 'the parameter group is attached', call: rds('ModifyDBInstance'), looks: 1 },
  { act: 'the instance reboots', call: rds('RebootDBInstance'), looks: 1 },
  { act: 'the next GTID mode is set', call: rds('ModifyDBParameterGroup'), looks: 2 },
])('killed while $act', async ({ call, looks }) => {
  const parked = (await look(run.handle)).phase === 'parked';
  const go = async () => await run.update('retry-phase');
  expect(await killAt(lab, run, { at: 'before', call }, parked ? go : undefined)).toContain(
    'beginAct',
  );
  expect(await killAt(lab, run, { at: 'sent', call })).toContain('beginAct');
  expect(await killAt(lab, run, { at: 'polling', poll, looks })).toContain('completeAct');
});

test('one resource and one operation of each', async () => {
  lab.startWorker();
  await run.untilPhase(...prepared);
  // The first GTID mode came with the group.
  expect(await changes()).toEqual({ created: 1, set: 2, attached: 1, rebooted: 2 });
});

test('abort says what stays changed on the source', async () => {
  await run.update('abort', { dropTarget: lab.config.name });
  const { aborted } = (await run.handle.result()) as MigrationReport;
  expect(aborted?.undone.join('\n')).toMatch(
    /stock-db keeps the parameter group skyferry-stock-db \(before: default\.mysql8\.0\)/,
  );
});

test('no secret is to be read anywhere', async () => {
  expect(await leaks(lab, run)).toEqual([]);
});

async function changes() {
  const done = async (operation: string) => (await lab.requests(rds(operation), 'done')).length;
  return {
    created: await done('CreateDBParameterGroup'),
    set: await done('ModifyDBParameterGroup'),
    attached: await done('ModifyDBInstance'),
    rebooted: await done('RebootDBInstance'),
  };
}
