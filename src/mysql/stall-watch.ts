/** Tells when a running command has shown no sign of life for `timeoutMs`; 0: never. */
export class StallWatch {
  readonly #timeoutMs: number;
  readonly #paused: () => boolean;
  readonly #onStall: (timeoutMs: number) => void;
  #timer: NodeJS.Timeout | null = null;

  /** While `paused` the silence is our own and counts for nothing. */
  constructor(timeoutMs: number, paused: () => boolean, onStall: (timeoutMs: number) => void) {
    this.#timeoutMs = timeoutMs;
    this.#paused = paused;
    this.#onStall = onStall;
  }

  start(): void {
    if (this.#timeoutMs === 0) return;
    this.#timer = setTimeout(() => {
      if (this.#paused()) this.#timer?.refresh();
      else this.#onStall(this.#timeoutMs);
    }, this.#timeoutMs).unref();
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
