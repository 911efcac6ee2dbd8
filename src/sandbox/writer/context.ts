import type { ConnectionWatch } from './connection-file.ts';
import type { LedgerFile } from './ledger/ledger-file.ts';
import type { WriterOptions } from './options.ts';
import type { OutageClock } from './outage-clock.ts';
import type { SharedRows } from './workload/scope.ts';

/** What the sessions of one writer have in common. */
export interface WriterContext {
  readonly writer: string;
  readonly options: WriterOptions;
  readonly ledger: LedgerFile;
  readonly watch: ConnectionWatch;
  readonly outages: OutageClock;
  readonly shared: SharedRows;
  readonly counts: WriterCounts;
  /** Stop once what is in flight has an outcome. */
  readonly stop: AbortSignal;
}

export interface WriterCounts {
  acknowledged: number;
  rolledBack: number;
  retried: number;
  unknown: number;
  givenUp: number;
  surprises: number;
  reconnected: number;
  readonly kinds: Record<string, number>;
  readonly errors: Record<string, number>;
}
