import { readFile, readdir, writeFile } from 'node:fs/promises';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { workflowCode } from '../workflow-code.ts';
import { recordHistories } from './record.ts';

/**
 * Histories of released code: a change of the workflow that would break runs in flight fails here.
 * Record anew, after a release or when nothing runs: SKYFERRY_RECORD_HISTORIES=1 npx vitest run test/replay
 */
const folder = new URL('./histories/', import.meta.url);

interface HistoryJson {
  events: { activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[];
}

let code: string;
beforeAll(async () => {
  if (process.env['SKYFERRY_RECORD_HISTORIES'] === '1') {
    for (const [name, json] of await recordHistories()) {
      await writeFile(new URL(`${name}.json`, folder), json);
    }
  } else Runtime.install({ logger: new DefaultLogger('ERROR') });
  code = await workflowCode();
});

async function readHistory(name: string): Promise<HistoryJson> {
  return JSON.parse(await readFile(new URL(`${name}.json`, folder), 'utf8')) as HistoryJson;
}

const replay = async (history: HistoryJson) =>
  await Worker.runReplayHistory({ workflowBundle: { code } }, history);

describe('a history recorded from a run replays on the code of today', () => {
  test.for(['completed', 'taken-back-and-aborted', 'parked-and-forward'])('%s', async (name) => {
    await expect(replay(await readHistory(name))).resolves.toBeUndefined();
  });

  test('there is no history that nobody replays', async () => {
    expect((await readdir(folder)).sort()).toEqual([
      'completed.json',
      'parked-and-forward.json',
      'taken-back-and-aborted.json',
    ]);
  });

  test('and one that the code would not have written is refused', async () => {
    const history = await readHistory('completed');
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events) {
      if (scheduled?.activityType.name === 'verifyTables') scheduled.activityType.name = 'cutOver';
    }
    await expect(replay(history)).rejects.toThrow(/[Nn]ondeterminism/);
  });

  test('no history names a machine or holds a secret', async () => {
    for (const file of await readdir(folder)) {
      const text = await readFile(new URL(file, folder), 'utf8');
      const decoded = text.replace(/"data":"([^"]+)"/g, (_all, data: string) =>
        Buffer.from(data, 'base64').toString('utf8'),
      );
      expect(decoded.includes('${env:SOURCE_PASSWORD}')).toBe(true);
      expect(decoded.match(/\/(work|home|root|tmp)\/|"identity":"\d+@[^"]*/)).toBeNull();
    }
  });
});
