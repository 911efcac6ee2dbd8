import { writeFile } from 'node:fs/promises';
import type { Engine } from '../../src/config/schema.ts';
import { resolveMysqld } from '../../src/sandbox/resolver/resolve.ts';
import { runCommand } from '../command.ts';
import { machine } from '../machine.ts';
import type { Measured } from './migrate.ts';
import { migrateBy } from './migrate.ts';
import type { EngineBenchOptions } from './options.ts';
import { readOptions, usage } from './options.ts';
import { commandLine, resultLines } from './print.ts';

const engines: readonly Engine[] = ['built-in', 'native', 'azure-dms'];

async function main(options: EngineBenchOptions, signal: AbortSignal): Promise<void> {
  const runs = await runAll(options, signal);
  const { version } = await resolveMysqld({ signal });
  const result = {
    command: commandLine(options),
    machine: `${machine()}, MySQL ${version} on both sides`,
    engines: engines.map((engine) => ({ engine, runs: runs.get(engine) ?? [] })),
  };
  console.log(resultLines(result));
  if (options.json !== null) {
    await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
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

process.exitCode = await runCommand({ usage, readOptions }, main);
