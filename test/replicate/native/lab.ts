import { awaitApplied } from '../../../src/replicate/await-applied.ts';
import type { NativeJob } from '../../../src/replicate/native/job.ts';
import { runNative } from '../../../src/replicate/native/run-native.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { Row } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { readExecuted } from '../../../src/mysql/watermark.ts';
import type { ApplyProgress } from '../../../src/workflows/messages.ts';
import type { Migration } from '../lab.ts';

export function nativeJob({ job }: Migration, changes: Partial<NativeJob> = {}): NativeJob {
  return { ...job, workers: 4, ...changes };
}

export interface Running {
  readonly progress: ApplyProgress[];
  /** Rejects with what ended it. */
  readonly ended: Promise<never>;
  /** As if its worker had been killed: nothing is undone. */
  stop(): Promise<void>;
}

export function start(job: NativeJob): Running {
  const stopped = new AbortController();
  const progress: ApplyProgress[] = [];
  const ended = runNative(job, {
    signal: stopped.signal,
    onProgress: (news) => progress.push(news),
  });
  ended.catch(() => {});
  return {
    progress,
    ended,
    stop: async () => {
      stopped.abort(new Error('stopped by the test'));
      await ended.catch(() => {});
    },
  };
}

/** Until MySQL replicates and everything that the source has now is applied; rejects with what ends the run before. */
export async function drained(
  { source, target, migration }: NativeJob,
  running?: Running,
  real: Endpoint = source,
): Promise<void> {
  if (running !== undefined) {
    const attached = until(() => running.progress.some(({ engine }) => engine !== undefined));
    await Promise.race([attached, running.ended]);
  }
  const to = await withConnection(real, {}, readExecuted);
  const applied = awaitApplied(target, migration, to, { signal: AbortSignal.timeout(30_000) });
  await (running === undefined ? applied : Promise.race([applied, running.ended]));
}

export async function replicaStatus(target: Endpoint): Promise<Row | undefined> {
  const [row] = await withConnection(target, {}, (c) => c.query('SHOW REPLICA STATUS'));
  return row;
}

export async function until(
  what: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`never came: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
