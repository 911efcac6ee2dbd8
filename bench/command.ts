/** How a bench is called. */
interface Command<Options> {
  readonly usage: string;
  /** Throws TypeError for what is not understood. */
  readonly readOptions: (args: readonly string[]) => Options | 'help';
}

/** Returns the exit code: 2 for options that are not understood, 130 when a signal ended it. */
export async function runCommand<Options extends object>(
  command: Command<Options>,
  run: (options: Options, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const options = optionsOrUsage(command);
  if (typeof options === 'number') return options;
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => interrupted.abort(new Error(`ended by ${name}`)));
  }
  try {
    await run(options, interrupted.signal);
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('interrupted; everything that was started is stopped');
    return 130;
  }
}

function optionsOrUsage<Options extends object>({
  usage,
  readOptions,
}: Command<Options>): Options | number {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    console.log(usage);
    return 0;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return 2;
  }
}
