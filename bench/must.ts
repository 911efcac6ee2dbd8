import type { RunOptions } from '../src/sandbox/process/run.ts';
import { run } from '../src/sandbox/process/run.ts';

/** Runs a program that is measured; its failure is the bench's. */
export async function must(command: readonly string[], options: RunOptions): Promise<void> {
  const { status, stderr } = await run(command, options);
  options.signal?.throwIfAborted();
  if (status !== 0) throw new Error(`${command.join(' ')}\nended with ${status}: ${stderr}`);
}
