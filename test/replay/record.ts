import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { config } from '../workflows/config.ts';
import { Lab } from '../workflows/lab.ts';
import { failing, forever, inTurn, scripted, window } from '../workflows/scripted.ts';

const usual = scripted().activities;
const windowed = (name: string) =>
  config(name, { window: { from: '02:00', to: '03:00', timeZone: 'Asia/Seoul' } });

/** Histories that between them visit every phase and take every message; by their file's name. */
export async function recordHistories(): Promise<Map<string, string>> {
  const lab = await Lab.open();
  try {
    return new Map([
      ['completed', await completed(lab)],
      ['taken-back-and-aborted', await takenBackAndAborted(lab)],
      ['parked-and-forward', await parkedAndForward(lab)],
    ]);
  } finally {
    await lab[Symbol.asyncDispose]();
  }
}

async function completed(lab: Lab): Promise<string> {
  const run = await lab.start(
    {
      listSearchAttributes: async () => ['SkyferryPhase', 'SkyferryMigration'],
      copyTables: inTurn(forever, usual.copyTables),
      resolveWindow: inTurn(async () => window(500, 60_000)),
      watchLag: inTurn(async () => ({ lagMs: 9_000 }), forever),
    },
    windowed,
  );
  await run.calledFor('copyTables');
  await run.send('pause');
  await run.until((s) => s.paused);
  await run.send('resume');
  await run.untilPhase('awaiting-approval');
  await run.send('approve-cutover', {});
  await run.send('nonsense', {});
  await run.send('reject-cutover');
  await run.handle.executeUpdate('approve-cutover', { args: [{ by: 'ann' }] });
  await run.result();
  return await historyOf(run);
}

async function takenBackAndAborted(lab: Lab): Promise<string> {
  const run = await lab.start({ cutOver: failing('DOWNTIME_EXCEEDED') }, config);
  await run.untilPhase('awaiting-approval');
  await run.send('approve-cutover', { by: 'ann' });
  await run.untilPhase('parked');
  await run.send('abort');
  await run.result();
  return await historyOf(run);
}

async function parkedAndForward(lab: Lab): Promise<string> {
  const run = await lab.start(
    {
      applyChanges: inTurn(failing('SCHEMA_CHANGED'), forever),
      cutOver: inTurn(failing('SWITCH_FAILED'), usual.cutOver),
      settleCutover: async () => ({ switched: true }),
    },
    (name) => config(name, { approval: { required: false } }),
  );
  await run.untilPhase('parked');
  await run.send('retry-phase');
  await run.result();
  return await historyOf(run);
}

async function historyOf(run: Awaited<ReturnType<Lab['start']>>): Promise<string> {
  return `${JSON.stringify(JSON.parse(historyToJSON(await run.handle.fetchHistory())))}\n`;
}
