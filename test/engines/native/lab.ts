import { awaitApplied } from '../../../src/replicate/await-applied.ts';
import type { NativeJob } from '../../../src/engines/native/job.ts';
import { runNative } from '../../../src/engines/native/run-native.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { Row } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { readExecuted } from '../../../src/mysql/watermark.ts';
import type { Migration } from '../../replicate/lab.ts';
import type { Running } from '../../replicate/running.ts';
import { start, until } from '../../replicate/running.ts';

export function nativeJob({ job }: Migration, changes: Partial<NativeJob> = {}): NativeJob {
  return { ...job, workers: 4, ...changes };
}

export function startNative(job: NativeJob): Running {
  return start((options) => runNative(job, options));
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
