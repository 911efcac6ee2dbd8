/**
 * Every failure that Skyferry raises on purpose. A failure says what happened, what is safe and what
 * to do next; its code is stable and documented here. Messages never hold passwords, row values or
 * SQL with literals, because they end up in workflow histories and logs.
 */
export const failureCodes = {
  /** The user's configuration is wrong; nothing was changed. */
  CONFIG_INVALID: { retryable: false },
  /** A secret reference could not be resolved on this worker. */
  SECRET_UNRESOLVED: { retryable: false },
  /** A preflight check of severity `blocker` failed; nothing was changed. */
  PREFLIGHT_BLOCKED: { retryable: false },
  /** A migration of that name exists with another configuration, or is completed. */
  MIGRATION_CONFLICT: { retryable: false },
  /** A server could not be reached, or the connection was lost. */
  CONNECTION_LOST: { retryable: true },
  /** A lock wait, deadlock or another condition that goes away by itself. */
  TRANSIENT: { retryable: true },
  /** Login refused, privilege missing. */
  ACCESS_DENIED: { retryable: false },
  /** A statement failed for a reason that trying again does not change. */
  STATEMENT_FAILED: { retryable: false },
  /** The source's schema changed while the migration ran (DDL in the binlog, or another catalog). */
  SCHEMA_CHANGED: { retryable: false },
  /** The binlog holds something that Skyferry does not understand; the position is in the message. */
  BINLOG_UNSUPPORTED: { retryable: false },
  /** An event's checksum does not match, or an event is malformed. */
  BINLOG_CORRUPT: { retryable: false },
  /** The source no longer has the binlog from the checkpoint on. */
  BINLOG_PURGED: { retryable: false },
  /** Another applier took the checkpoint over; this one stopped. */
  EPOCH_LOST: { retryable: false },
  /** A copied chunk does not hold what was read: warnings, or another number of rows. */
  COPY_INEXACT: { retryable: false },
  /** Whoever applied changes cannot go on from where it was: rows have to be copied anew. */
  REPLICATION_LOST: { retryable: false },
  /** Rows differ between source and target. */
  ROWS_DIFFER: { retryable: false },
  /** Writes on the source did not stop, or could not be proved to have stopped. */
  NOT_QUIESCENT: { retryable: false },
  /** The downtime budget ran out before the switch; the source was un-fenced. */
  DOWNTIME_EXCEEDED: { retryable: false },
  /** A switch refused (its endpoint is not what the plan says), or its probe failed. */
  SWITCH_FAILED: { retryable: false },
  /** A cloud refused: credentials missing or expired, a right missing, a policy that denies. */
  CLOUD_DENIED: { retryable: false },
  /** A cloud asked to wait: throttled, another operation in progress, a service that is away. */
  CLOUD_BUSY: { retryable: true },
  /** A cloud cannot give it: quota, region or size not available, a name that is taken. */
  CLOUD_UNAVAILABLE: { retryable: false },
  /** An operation of a cloud failed, or its resource is not as it was left. */
  CLOUD_FAILED: { retryable: false },
  /** A needed server program was not found and could not be fetched. */
  PROGRAM_MISSING: { retryable: false },
  /** A defect in Skyferry: an invariant does not hold. */
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type FailureCode = keyof typeof failureCodes;

export interface FailureDetail {
  /** What is safe now, e.g. "the source takes writes; nothing on it was changed". */
  safe?: string;
  /** What to do next: an exact command or statement where there is one. */
  next?: string;
  /** MySQL's errno, when the failure comes from a server. */
  errno?: number;
}

export class SkyferryFailure extends Error {
  override readonly name = 'SkyferryFailure';
  readonly code: FailureCode;
  readonly detail: FailureDetail;
  readonly retryable: boolean;

  constructor(
    code: FailureCode,
    message: string,
    detail: FailureDetail & { retryable?: boolean } = {},
  ) {
    super(message);
    this.code = code;
    const { retryable, ...rest } = detail;
    this.detail = rest;
    this.retryable = retryable ?? failureCodes[code].retryable;
  }
}

export function isFailure(error: unknown, code?: FailureCode): error is SkyferryFailure {
  return error instanceof SkyferryFailure && (code === undefined || error.code === code);
}
