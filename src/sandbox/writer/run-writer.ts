import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import { ConnectionWatch, readConnectionFile } from './connection-file.ts';
import type { WriterCounts } from './context.ts';
import { LedgerFile } from './ledger/ledger-file.ts';
import type { Outage } from './ledger/records.ts';
import type { WriterOptions } from './options.ts';
import { OutageClock } from './outage-clock.ts';
import { Unresolved, WriterSession } from './session.ts';
import type { SharedRows } from './workload/scope.ts';

export interface WriterProgress extends WriterCounts {
  readonly writer: string;
  /** Acknowledged transactions a second since the last line. */
  readonly perSecond: number;
  /** Writes fail at present. */
  readonly failing: boolean;
  readonly outages: number;
}

export interface WriterSummary extends WriterCounts {
  readonly writer: string;
  readonly seconds: number;
  readonly outages: readonly Outage[];
  /** True when it stopped while writes still failed. */
  readonly failing: boolean;
}

/**
 * Plays the application until the signal is aborted or its time is over; finishes what is in flight
 * first. Everything that it was promised by the server is in the ledger file.
 */
export async function runWriter(
  options: WriterOptions,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: WriterProgress) => void },
): Promise<WriterSummary> {
  const started = performance.now();
  const writer = options.writerId ?? randomUUID();
  const ledger = new LedgerFile(options.ledgerFile);
  const outages: Outage[] = [];
  const clock = new OutageClock((outage) => {
    outages.push(outage);
    ledger.append({ type: 'outage', writer, ...outage });
  });
  const stop = new AbortController();
  const deadline =
    options.durationSeconds === undefined
      ? undefined
      : setTimeout(() => stop.abort(), options.durationSeconds * 1000);
  const onAbort = () => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) stop.abort();
  const watch = new ConnectionWatch(options.connectionFile, options.pollMs);
  const counts: WriterCounts = { acknowledged: 0, rolledBack: 0, retried: 0, unknown: 0, givenUp: 0, surprises: 0, reconnected: 0, kinds: {}, errors: {} }; // prettier-ignore
  const reporting = reportEvery(options.progressMs, counts, (perSecond) =>
    onProgress({ ...counts, writer, perSecond, failing: clock.isOpen, outages: outages.length }),
  );
  try {
    ledger.append({ type: 'run', writer, at: new Date().toISOString() });
    const shared = await readSharedRows(options, stop.signal);
    if (shared !== null) {
      ledger.append({ type: 'accounts', writer, opening: shared.opening });
      const context = { writer, options, ledger, watch, outages: clock, shared, counts, stop: stop.signal }; // prettier-ignore
      const sessions = Array.from({ length: options.sessions }, (_, i) =>
        new WriterSession(context, i + 1).run().catch((error: unknown) => {
          // A session that ends for another reason takes the others down with it.
          stop.abort();
          if (!(error instanceof Unresolved)) throw error;
        }),
      );
      const results = await Promise.allSettled(sessions);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
    ledger.append({ type: 'stop', writer, at: new Date().toISOString() });
    const seconds = (performance.now() - started) / 1000;
    return { ...counts, writer, seconds, outages, failing: clock.isOpen };
  } finally {
    clearTimeout(deadline);
    clearInterval(reporting);
    signal.removeEventListener('abort', onAbort);
    watch.stop();
    ledger.close();
  }
}

interface Opening extends SharedRows {
  readonly opening: readonly (readonly [account: string, balance: string])[];
}

/** Waits for a database that is not there yet; null: told to stop before. */
async function readSharedRows(options: WriterOptions, stop: AbortSignal): Promise<Opening | null> {
  while (!stop.aborted) {
    try {
      return await withConnection(await readConnectionFile(options), {}, chooseSharedRows);
    } catch (error) {
      if (!isFailure(error, 'CONNECTION_LOST') && !isFailure(error, 'CONFIG_INVALID')) throw error;
      await delay(200);
    }
  }
  return null;
}

/** Accounts from both ends of the key's range; few enough that sessions meet on them. */
async function chooseSharedRows(connection: Connection): Promise<Opening> {
  const list = async (sql: string) =>
    (await connection.query(sql)).map((row) => String(Object.values(row)[0]));
  const accounts = [
    ...(await list('SELECT id FROM brokerage.account ORDER BY id LIMIT 150')),
    ...(await list('SELECT id FROM brokerage.account WHERE id > 18446744073709500000 ORDER BY id DESC LIMIT 50')), // prettier-ignore
  ];
  const opening = await connection.query(
    `SELECT id, opening_balance FROM brokerage.account WHERE id IN (${accounts.join(',')})`,
  );
  return {
    accounts: [...new Set(accounts)],
    customers: await list("SELECT id FROM brokerage.customer WHERE code LIKE 'C-%' ORDER BY id LIMIT 200"), // prettier-ignore
    symbols: await list("SELECT symbol FROM brokerage.instrument WHERE symbol NOT LIKE 'w%s%.%' ORDER BY symbol LIMIT 200"), // prettier-ignore
    runs: await list('SELECT id FROM batch.run ORDER BY id LIMIT 100'),
    opening: opening.map((row) => [String(row['id']), String(row['opening_balance'])]),
  };
}

function reportEvery(
  ms: number,
  counts: WriterCounts,
  report: (perSecond: number) => void,
): NodeJS.Timeout {
  let before = counts.acknowledged;
  return setInterval(() => {
    report(((counts.acknowledged - before) * 1000) / ms);
    before = counts.acknowledged;
  }, ms);
}
