import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { catchUpPhase } from './catch-up/phase.ts';
import { runCommand } from './command.ts';
import { restoreRows, TABLES, writeTableFiles } from './data.ts';
import { loadPhase } from './load/phase.ts';
import type { BenchOptions, PhaseName } from './options.ts';
import { readOptions, usage } from './options.ts';
import type { Phase } from './phase.ts';
import { runPhase } from './phase.ts';
import type { BenchResult } from './print.ts';
import { commandLine, machineLine, resultLines } from './print.ts';
import { getPrograms } from './programs.ts';
import { startServer } from './servers.ts';
import { verifyPhase } from './verify/phase.ts';

const progress = (line: string): void => console.error(line);

/** The load comes first: it needs the source's rows as they were generated. */
const phases: Record<PhaseName, (bench: Bench) => Phase | Promise<Phase>> = {
  load: loadPhase,
  'catch-up': catchUpPhase,
  verify: verifyPhase,
};

async function main(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skyferry-bench-'));
  try {
    const result = await runAll(options, folder, signal);
    console.log(resultLines(result));
    if (options.json !== null) {
      await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(
  options: BenchOptions,
  folder: string,
  signal: AbortSignal,
): Promise<BenchResult> {
  const programs = await getPrograms(signal);
  progress(`writing ${TABLES.length} x ${options.rows} rows`);
  const bytes = await writeTableFiles(folder, options.rows);
  const source = await startServer('source', programs.mysqld, folder);
  try {
    const target = await startServer('target', programs.mysqld, folder);
    try {
      await restoreRows(source, folder, signal);
      const bench: Bench = { options, programs, source, target, folder, signal };
      const results = [];
      for (const name of options.phases) {
        const phase = await phases[name](bench);
        const { rounds } = options;
        results.push(await runPhase(phase, { rounds, source, target, signal, progress }));
      }
      return {
        command: commandLine(options),
        machine: machineLine(programs),
        data: `${TABLES.length} tables of ${options.rows} rows, one secondary index each, ${Math.round(bytes / 1e6)} MB as text`,
        phases: results,
      };
    } finally {
      await target.stop();
    }
  } finally {
    await source.stop();
  }
}

process.exitCode = await runCommand({ usage, readOptions }, main);
