import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsClients } from '../../clouds/aws/clients.ts';
import { requireCheckpoint } from '../../checkpoint/store.ts';
import type { LocatedConfig } from '../../config/located.ts';
import { isFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { raiseRdsRetention } from './raise-retention.ts';
import type { BinlogSample } from './read-binlog-facts.ts';
import { binlogRate, readBinlogFacts, sampleBinlog } from './read-binlog-facts.ts';
import type { BinlogFacts } from './retention-guard.ts';
import { adviseRetention } from './retention-guard.ts';

/** What people are told of the source's binlog. */
export interface BinlogWatch {
  /** Null: it lasts. */
  readonly warning: string | null;
  readonly next: string | null;
  /** What was done about it. */
  readonly raised: string | null;
  /** Why a pause before the copy is complete would lose the binlog; null: it would not. */
  readonly pause: string | null;
}

export interface GuardJob {
  readonly config: LocatedConfig;
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly aws: AwsClients;
  /** Until nothing behind the present is needed any more. */
  readonly etaHours: number;
  readonly intervalMs: number;
}

/**
 * Looks at the binlog again and again, raises its retention as far as storage holds, and returns as soon
 * as people have to be told something else than `known`. A look that fails is repeated: the guard warns,
 * it stops nothing.
 */
export async function guardBinlog(
  job: GuardJob,
  known: BinlogWatch | null,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (step: string) => void },
): Promise<BinlogWatch> {
  let first: BinlogSample | null = null;
  for (;;) {
    try {
      const now = await withConnection(job.source, { signal }, sampleBinlog);
      first ??= now;
      const facts = await lookAt(job, binlogRate(first, now), signal);
      const watch = await act(job, facts, signal);
      onProgress(watch?.warning ?? 'the source keeps its binlog long enough');
      if (watch !== null && !isSame(watch, known)) return watch;
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      onProgress(`could not look: ${error.code}`);
    }
    await sleep(job.intervalMs, undefined, { signal });
  }
}

async function lookAt(
  { config, source, target, aws }: GuardJob,
  rate: number | null,
  signal: AbortSignal,
): Promise<BinlogFacts> {
  const { sourceTime, createdAt } = await withConnection(target, { signal }, (connection) =>
    requireCheckpoint(connection, config.name),
  );
  const since = Date.parse(sourceTime ?? createdAt);
  const neededHours = Math.max(0, Date.now() - since) / 3_600_000;
  return await withConnection(source, { signal }, (connection) =>
    readBinlogFacts(config, connection, aws, { neededHours, rate }, signal),
  );
}

/** Null: to be looked at once more. */
async function act(
  { config, source, target, etaHours }: GuardJob,
  facts: BinlogFacts,
  signal: AbortSignal,
): Promise<BinlogWatch | null> {
  const advice = adviseRetention(facts, { etaHours, pausing: false });
  const paused = adviseRetention(facts, { etaHours: null, pausing: true });
  // What more hours take of the storage is known from the second look on.
  if (advice.kind === 'raise' && facts.bytesPerHour === null) return null;
  if (advice.kind === 'raise') {
    const raise = { from: facts.retentionHours, to: advice.hours };
    await withConnection(source, { signal }, (from) =>
      withConnection(target, { signal }, (to) =>
        raiseRdsRetention({ source: from, target: to }, config.name, raise),
      ),
    );
  }
  const warns = advice.kind === 'warn' || advice.kind === 'refuse-pause';
  return {
    warning: warns ? advice.message : null,
    next: warns ? advice.next : null,
    raised: advice.kind === 'raise' ? advice.message : null,
    pause: paused.kind === 'refuse-pause' ? paused.message : null,
  };
}

/** By what kind of news it is: the figures in it change with each look. */
function isSame(watch: BinlogWatch, known: BinlogWatch | null): boolean {
  const kind = (one: BinlogWatch | null) =>
    [one?.warning, one?.raised, one?.pause].map((text) => text !== null && text !== undefined);
  return watch.raised === null && String(kind(watch)) === String(kind(known));
}
