/**
 * Whether the source keeps its binlog as long as the migration still needs it, and whether its disk can
 * bear to keep it longer. A full disk stops an RDS instance, so keeping more is never free.
 */
export interface BinlogFacts {
  /** Null: RDS keeps nothing by itself. Infinity: for ever. */
  readonly retentionHours: number | null;
  /** May be raised here, up to so many hours; null: not by this account or this server's means. */
  readonly raisableTo: number | null;
  /** How long ago the last change was written that is applied already. */
  readonly neededHours: number;
  /** Null: not measured yet. */
  readonly bytesPerHour: number | null;
  /** Null: nobody says. Infinity: storage that grows by itself. */
  readonly freeBytes: number | null;
}

export interface BinlogNeed {
  /** Until nothing behind the present is needed any more; null: not known, e.g. while paused. */
  readonly etaHours: number | null;
  /** A pause is asked for: nothing is applied from now on, for no known time. */
  readonly pausing: boolean;
}

export type RetentionAdvice =
  | { readonly kind: 'enough' }
  | { readonly kind: 'warn'; readonly message: string; readonly next: string }
  | { readonly kind: 'raise'; readonly hours: number; readonly message: string }
  | { readonly kind: 'refuse-pause'; readonly message: string; readonly next: string };

/** A pause shorter than that is nothing that anybody asks for. */
const SHORTEST_PAUSE_HOURS = 1;
/** An ETA is a guess: the binlog has to last half as long again, and an hour more. */
const ETA_FACTOR = 1.5;
const MARGIN_HOURS = 1;
/** Of the free storage the binlog may take at most that part. */
const PART_OF_FREE_STORAGE = 0.5;
/** What is still free in less than that stops the instance while somebody sleeps. */
const FULL_SOON_HOURS = 24;

export function adviseRetention(facts: BinlogFacts, need: BinlogNeed): RetentionAdvice {
  const { neededHours } = facts;
  const ahead = need.pausing ? SHORTEST_PAUSE_HOURS : (need.etaHours ?? 0) * ETA_FACTOR;
  const wanted = neededHours + ahead + MARGIN_HOURS;
  const kept = facts.retentionHours ?? 0;
  if (kept >= wanted) return storageAdvice(facts, kept - neededHours);
  const possible = Math.floor(Math.min(facts.raisableTo ?? 0, bearableHours(facts, kept)));
  if (possible >= wanted && possible > kept) {
    const hours = Math.min(possible, Math.ceil(wanted * ETA_FACTOR));
    return {
      kind: 'raise',
      hours,
      message: `the source keeps its binlog ${spell(facts.retentionHours)}, and ${round(wanted)} h are needed: raised to ${hours} h, which its storage holds`,
    };
  }
  const why =
    facts.raisableTo !== null && facts.raisableTo >= wanted
      ? facts.freeBytes === null
        ? 'its free storage is not known, so it is not raised'
        : `its storage holds ${Math.max(0, possible)} h at most`
      : 'it cannot be raised that far here';
  const message = `the source keeps its binlog ${spell(facts.retentionHours)}, what is still to be applied is ${round(neededHours)} h old and ${round(wanted)} h are needed; ${why}`;
  if (need.pausing) {
    return {
      kind: 'refuse-pause',
      message: `a pause would lose the binlog: ${message}`,
      next: 'pause when the lag is small again, or give the source more storage and retention first',
    };
  }
  return {
    kind: 'warn',
    message,
    next: "give the source more storage, or CALL mysql.rds_set_configuration('binlog retention hours', N); and copy with more limits.copyParallel",
  };
}

/** Long enough, as far as the disk goes: the binlog still grows until the oldest file may go. */
function storageAdvice(
  { bytesPerHour, freeBytes }: BinlogFacts,
  hoursToPurge: number,
): RetentionAdvice {
  if (bytesPerHour === null || bytesPerHour <= 0 || freeBytes === null) return { kind: 'enough' };
  const fullIn = freeBytes / bytesPerHour;
  if (fullIn > Math.min(FULL_SOON_HOURS, hoursToPurge)) return { kind: 'enough' };
  return {
    kind: 'warn',
    message: `the binlog grows by ${gigabytes(bytesPerHour)} an hour and ${gigabytes(freeBytes)} are free: the source’s storage is full in ${round(fullIn)} h, which stops it`,
    next: 'give the source more storage now (ModifyDBInstance with a larger AllocatedStorage), or end the migration',
  };
}

/** From what is kept now on, more hours cost storage; a server that never wrote much costs none. */
function bearableHours({ bytesPerHour, freeBytes }: BinlogFacts, kept: number): number {
  if (freeBytes === null) return 0;
  if (bytesPerHour === null || bytesPerHour <= 0) return freeBytes > 0 ? Infinity : 0;
  return kept + (freeBytes * PART_OF_FREE_STORAGE) / bytesPerHour;
}

function spell(hours: number | null): string {
  return hours === null ? 'no set number of hours' : hours === Infinity ? 'for ever' : `${hours} h`;
}

function round(hours: number): string {
  return hours < 10 ? hours.toFixed(1) : String(Math.round(hours));
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
