import { fileURLToPath } from 'node:url';
import type { LaunchedProcess } from '../process/launch.ts';
import { launch } from '../process/launch.ts';
import type { Sandbox } from '../sandbox.ts';
import type { DemoFiles } from './demo-files.ts';

const GRACE_MS = 20_000;

/** A program of the demo, as a user would start it; it ends with the demo, however that ends. */
export interface DemoProgram {
  stop(): Promise<void>;
  /** SIGKILL, as when its machine is lost. */
  kill(): void;
  assertRunning(): void;
}

export interface ProgramPlace {
  readonly sandbox: Pick<Sandbox, 'temporal' | 'secretsDir'>;
  readonly files: Pick<DemoFiles, 'log'>;
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

export function startWorker(place: ProgramPlace, ...options: string[]): DemoProgram {
  const { secretsDir } = place.sandbox;
  return start('worker', place, [
    entry('../../cli/main.js'),
    'worker',
    '--secrets',
    secretsDir,
    ...options,
  ]);
}

export function startWriter(
  place: ProgramPlace,
  optionsFile: string,
  name = 'writer',
): DemoProgram {
  return start(name, place, [entry('../writer/main.js'), optionsFile]);
}

/** Programs are started as they are installed: from the built tree. */
function entry(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

function start(
  name: string,
  { sandbox, files, env = {} }: ProgramPlace,
  args: string[],
): DemoProgram {
  const child: LaunchedProcess = launch({
    command: [process.execPath, ...args],
    logFile: files.log(name),
    life: { mode: 'bound' },
    identityFile: `${files.log(name)}.pid`,
    env: {
      ...process.env,
      ...env,
      TEMPORAL_ADDRESS: sandbox.temporal.address,
      NO_COLOR: '1',
    },
  });
  return {
    stop: () => child.stop(GRACE_MS),
    // The guard and the program are one process group.
    kill: () => process.kill(-child.identity.pid, 'SIGKILL'),
    assertRunning: () => {
      const end = child.ended();
      if (end !== null) throw new Error(`the ${name} ended (${end}); see ${files.log(name)}`);
    },
  };
}
