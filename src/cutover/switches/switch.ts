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
}
