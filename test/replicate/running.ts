import type { ApplyProgress } from '../../src/workflows/messages.ts';

/** What applies, or watches who applies, until it is stopped. */
export interface Running<T = unknown> {
  readonly progress: ApplyProgress[];
  /** Rejects with what ended it. */
  readonly ended: Promise<T>;
  /** As if its worker had been killed: nothing is undone. */
  stop(): Promise<void>;
}

export function start<T>(
  work: (options: { signal: AbortSignal; onProgress: (news: ApplyProgress) => void }) => Promise<T>,
): Running<T> {
  const stopped = new AbortController();
  const progress: ApplyProgress[] = [];
  const ended = work({ signal: stopped.signal, onProgress: (news) => progress.push(news) });
  // Whoever cares how it ended looks at `ended`; until then that is nobody's unhandled rejection.
  ended.catch(() => {});
  return {
    progress,
    ended,
    stop: async () => {
      stopped.abort(new Error('stopped by the test'));
      await ended.catch(() => {});
    },
  };
}

export async function until(
  what: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`never came: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
