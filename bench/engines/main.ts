import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Engine } from '../../src/config/schema.ts';
import { resolveMysqld } from '../../src/sandbox/resolver/resolve.ts';
import type { Measured } from './migrate.ts';
import { migrateBy } from './migrate.ts';
import type { EngineBenchOptions } from './options.ts';
import { readOptions, usage } from './options.ts';
import { commandLine, resultLines } from './print.ts';

const engines: readonly Engine[] = ['built-in', 'native', 'azure-dms'];

async function main(): Promise<number> {
  const options = optionsOrUsage();
  if (typeof options === 'number') return options;
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => interrupted.abort(new Error(`ended by ${name}`)));
  }
  try {
    const runs = await runAll(options, interrupted.signal);
    const result = {
      command: commandLine(options),
      machine: await machineLine(interrupted.signal),
      engines: engines.map((engine) => ({ engine, runs: runs.get(engine) ?? [] })),
    };
    console.log(resultLines(result));
    if (options.json !== null) {
      await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
    }
    return 0;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('interrupted; everything that was started is stopped');
    return 130;
  }
}

function optionsOrUsage(): EngineBenchOptions | number {
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

/** Each engine in turn, round after round, so that whatever else the machine does meets all alike. */
async function runAll(
  options: EngineBenchOptions,
  signal: AbortSignal,
): Promise<Map<Engine, Measured[]>> {
  const runs = new Map<Engine, Measured[]>(engines.map((engine) => [engine, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const engine of engines) {
      signal.throwIfAborted();
      const say = (line: string) =>
        console.error(`${round}/${options.rounds} ${engine}: ${line.slice(0, 160)}`);
      const measured = await migrateBy(engine, options, { signal, say });
      runs.get(engine)?.push(measured);
      console.error(`${round}/${options.rounds} ${engine}: ${JSON.stringify(measured)}`);
    }
  }
  return runs;
}

async function machineLine(signal: AbortSignal): Promise<string> {
  const { version } = await resolveMysqld({ signal });
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${availableParallelism()} cores (${model}), ${gigabytes} GB; Node ${process.versions.node}, MySQL ${version} on both sides`;
}

process.exitCode = await main();
