import { CancellationScope, condition } from '@temporalio/workflow';

/** Thrown out of a phase that was stopped by a person, the applier's failure or a long history. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs `work` until it ends or `stop` says so. What runs in it is then cancelled and awaited, so that
 * nothing of it overlaps with what comes next; if it came to its end all the same, its result counts.
 */
export async function untilStopped<T>(stop: () => boolean, work: () => Promise<T>): Promise<T> {
  const working = new CancellationScope({ cancellable: true });
  const watching = new CancellationScope({ cancellable: true });
  const running = working.run(work);
  const stopped = await Promise.race([
    running.then(never, never),
    watching.run(async () => await condition(stop)).then(always, never),
  ]);
  if (stopped) working.cancel();
  try {
    return await running;
  } catch (error) {
    if (stopped) throw new Interrupted('stopped', { cause: error });
    throw error;
  } finally {
    watching.cancel();
  }
}

/** The first branch that ends decides; the others are cancelled. */
export async function firstOf<T>(...branches: (() => Promise<T>)[]): Promise<T> {
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const running = branches.map(async (branch) => await branch());
    try {
      return await Promise.race(running);
    } finally {
      // The others reject with their cancellation, which nobody waits for.
      for (const other of running) other.catch(ignore);
      scope.cancel();
    }
  });
}

const always = () => true;
const never = () => false;
const ignore = () => {};
