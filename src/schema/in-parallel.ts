/** Runs `work` over all items, at most `parallel` at once, in order. The first failure ends it. */
export async function inParallel<T>(
  items: readonly T[],
  parallel: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = [...items];
  let firstError: unknown;
  const run = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const runs = Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, () =>
    run().catch((error: unknown) => {
      firstError ??= error;
      failed.abort(error);
    }),
  );
  await Promise.all(runs);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw firstError;
}
