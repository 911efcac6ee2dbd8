/**
 * One consumer's endpoint, moved from the source to the target by compare-and-set. Every method may
 * be repeated after a kill: `do` on a switched endpoint and `undo` on an unswitched one change nothing.
 */
export interface Switch {
  readonly consumer: string;
  /** One line for people: what is changed where; no secrets. */
  describe(): string;
  /** Throws SWITCH_FAILED when `do` could not succeed: the endpoint is neither as before nor switched. */
  precondition(signal: AbortSignal): Promise<void>;
  /** Throws SWITCH_FAILED; the endpoint is then as it was, unless the detail's `safe` says otherwise. */
  do(signal: AbortSignal): Promise<void>;
  undo(signal: AbortSignal): Promise<void>;
  /** Throws SWITCH_FAILED unless the endpoint is seen to be switched. */
  probe(signal: AbortSignal): Promise<void>;
  /**
   * Where resolvers remember the endpoint: makes them forget it sooner. Repeated, it changes nothing and
   * still knows the first TTL. Throws SWITCH_FAILED.
   */
  lowerTtl?(signal: AbortSignal): Promise<LoweredTtl>;
  /**
   * Puts the TTL back, unless somebody has chosen another one since. May be repeated. Without `formerTtl`
   * only where it stands beside the record that it was lowered. Returns what was put back; null: nothing.
   */
  restoreTtl?(formerTtl: number | null, signal: AbortSignal): Promise<number | null>;
}

export interface LoweredTtl {
  /** Seconds. */
  readonly formerTtl: number;
  /** From now on until nobody remembers an answer with the former TTL. */
  readonly waitMs: number;
}
