import { randomInt } from 'node:crypto';
import type {
  FormatDescriptionEvent,
  HeartbeatEvent,
  QueryEvent,
  RowChange,
  RowsEvent,
} from '../../../../../mysql/binlog/events.ts';
import type { EventAnswer } from '../../../../../mysql/binlog/read-binlog.ts';
import { readBinlog } from '../../../../../mysql/binlog/read-binlog.ts';
import { walkRows } from '../../../../../mysql/binlog/rows.ts';
import type { TableMap } from '../../../../../mysql/binlog/table-map.ts';
import type {
  CommittedTransaction,
  TransactionHandler,
} from '../../../../../mysql/binlog/transactions.ts';
import { assembleTransactions } from '../../../../../mysql/binlog/transactions.ts';
import type { FilePosition } from '../../../../../mysql/position.ts';
import { Batch } from '../../../../../replicate/batch.ts';
import { collectChanges } from '../../../../../replicate/collect-changes.ts';
import { judge } from '../../../../../replicate/ddl-gate.ts';
import type { ReplicatedTables } from '../../../../../replicate/replicated-tables.ts';
import { TableRouter } from '../../../../../replicate/table-router.ts';
import { TaskEnd } from '../task-end.ts';
import { TargetSession } from './apply.ts';
import type { Ends } from './full-load.ts';

const HEARTBEAT_MS = 200;
/** Changes are committed at least so often, and always when the source is silent. */
const COMMIT_MS = 100;
/** Bounds memory within a transaction. */
const BATCH_BYTES = 8 << 20;

export interface Following extends Ends {
  readonly tables: ReplicatedTables;
  /** Where the full load began. */
  readonly from: FilePosition;
  /** Where it had ended. */
  readonly high: FilePosition;
  /** Whether its changes are still wanted. */
  readonly wants: (table: TableMap['name']) => boolean;
  readonly onIncoming: (change: RowChange, table: TableMap['name'], rows: number) => void;
  readonly onApplied: (change: RowChange, table: TableMap['name'], rows: number) => void;
  /** Everything up to there is committed on the target; true ends the following. */
  readonly onPosition: (state: FollowState) => Promise<boolean>;
}

export interface FollowState {
  readonly at: FilePosition;
  /** The source has nothing more. */
  readonly caughtUp: boolean;
  /** When the source committed what was applied last, in ms since 1970; null: nothing yet. */
  readonly committedAt: number | null;
}

/** Follows the source's binlog until `onPosition` says that it is enough. */
export async function followChanges(following: Following): Promise<void> {
  const { source, from, signal, high } = following;
  const session = await TargetSession.open(following, high);
  try {
    const serverId = randomInt(2 ** 31, 2 ** 32 - 1);
    const options = { source, serverId, from, heartbeatMs: HEARTBEAT_MS, signal };
    await readBinlog(options, assembleTransactions(new Follower(following, session)));
  } finally {
    await session.close();
  }
}

interface Pending {
  readonly change: RowChange;
  readonly table: TableMap['name'];
  rows: number;
}

class Follower implements TransactionHandler {
  readonly #following: Following;
  readonly #session: TargetSession;
  readonly #router: TableRouter;
  readonly #batch = new Batch();
  #pending: Pending[] = [];
  #format: FormatDescriptionEvent | null = null;
  #open = false;
  #committedAt: number | null = null;
  #appliedAt = 0;

  constructor(following: Following, session: TargetSession) {
    this.#following = following;
    this.#session = session;
    this.#router = new TableRouter(following.tables);
  }

  formatDescription(event: FormatDescriptionEvent): void {
    this.#format = event;
  }

  wants(shape: TableMap): boolean {
    return this.#following.wants(shape.name) && this.#router.find(shape) !== null;
  }

  rows(event: RowsEvent): EventAnswer | Promise<EventAnswer> {
    this.#open = true;
    const { change, table } = event;
    const route = this.wants(table) ? this.#router.find(table) : null;
    if (route === null) return undefined;
    const rows = walkRows(event, () => {});
    this.#following.onIncoming(change, table.name, rows);
    this.#pending.push({ change, table: table.name, rows });
    collectChanges(event, route, this.#batch);
    return this.#batch.bytes < BATCH_BYTES ? undefined : this.#apply();
  }

  statement(event: QueryEvent): EventAnswer {
    const { kind, what } = judge(event.sql, event.schema, this.#following.tables.schemas);
    if (kind === 'pass') return;
    throw new TaskEnd('Faulted', 'UnsupportedStatement', `${what} cannot be replicated.`);
  }

  commit({ file, offset, commitMicros }: CommittedTransaction): EventAnswer | Promise<EventAnswer> {
    this.#open = false;
    this.#committedAt = commitMicros / 1000;
    if (Date.now() - this.#appliedAt < COMMIT_MS) return undefined;
    return this.#settle({ file, offset }, false);
  }

  heartbeat({ file, offset }: HeartbeatEvent): EventAnswer | Promise<EventAnswer> {
    return this.#open ? undefined : this.#settle({ file, offset }, true);
  }

  async #settle(at: FilePosition, caughtUp: boolean): Promise<EventAnswer> {
    await this.#apply();
    await this.#session.commit();
    for (const { change, table, rows } of this.#pending) {
      this.#following.onApplied(change, table, rows);
    }
    this.#pending = [];
    this.#appliedAt = Date.now();
    const committedAt = this.#committedAt;
    return (await this.#following.onPosition({ at, caughtUp, committedAt })) ? 'stop' : undefined;
  }

  async #apply(): Promise<void> {
    if (this.#batch.isEmpty || this.#format === null) return;
    await this.#session.apply(this.#batch, this.#format);
    this.#batch.clear();
  }
}
