import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SkyferryFailure } from '../../failures.ts';
import type { Switch } from './switch.ts';

const argv = z.array(z.string()).min(1);
const commandSchema = z.strictObject({
  /** Moves the consumer; must do nothing when it is moved already, since a killed worker repeats it. */
  switch: argv,
  undo: argv,
  /** Exit code 0 when the consumer is on the target. */
  probe: argv.optional(),
  timeoutSeconds: z.number().positive().max(3600).default(30),
});
const commandsSchema = z.record(z.string().min(1), commandSchema);

type SwitchCommand = z.infer<typeof commandSchema>;
export type SwitchCommands = Readonly<Record<string, SwitchCommand>>;

/** The worker's own file of commands: `{name: {switch: [argv], undo: [argv], probe?: [argv]}}`. */
export async function loadSwitchCommands(path: string): Promise<SwitchCommands> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new SkyferryFailure('CONFIG_INVALID', `commands file ${path} cannot be read`);
  });
  const parsed = commandsSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || '(top)').join(', ');
    throw new SkyferryFailure('CONFIG_INVALID', `commands file ${path} is wrong at: ${where}`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface CommandSwitchOptions {
  readonly consumer: string;
  readonly command: string;
  readonly commands: SwitchCommands;
  /** Given to the commands beside the worker's own environment; no secrets. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs programs without a shell. Their output is never kept: it may hold anything. */
export function createCommandSwitch(options: CommandSwitchOptions): Switch {
  const { consumer, command: name, commands } = options;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;

  const run = async (step: 'switch' | 'undo' | 'probe', signal: AbortSignal): Promise<void> => {
    if (command === undefined) throw notNamed(name);
    const words = command[step];
    if (words === undefined) return;
    const environment = { ...options.environment, SKYFERRY_CONSUMER: consumer };
    const end = await runProgram(words, environment, command.timeoutSeconds * 1000, signal);
    signal.throwIfAborted();
    if (end !== 'exit code 0') {
      throw new SkyferryFailure('SWITCH_FAILED', `command ${name}, ${step}: ${end}`, {
        safe: 'what the command did before it failed is not known',
      });
    }
  };

  return {
    consumer,
    describe: () => `command ${name} of the worker`,
    async precondition() {
      if (command === undefined) throw notNamed(name);
    },
    do: async (signal) => await run('switch', signal),
    undo: async (signal) => await run('undo', signal),
    probe: async (signal) => await run('probe', signal),
  };
}

function notNamed(name: string): SkyferryFailure {
  return new SkyferryFailure(
    'SWITCH_FAILED',
    `command ${name} is not in this worker's commands file`,
    {
      safe: 'nothing was switched',
    },
  );
}

const TERMINATE_GRACE_MS = 2_000;

async function runProgram(
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  return await new Promise((resolve) => {
    const child = spawn(program, args, {
      shell: false,
      stdio: 'ignore',
      // A group of its own, so that what the program started ends with it.
      detached: true,
      env: { ...process.env, ...environment },
    });
    let reason: string | null = null;
    let killer: NodeJS.Timeout | undefined;
    const stop = (why: string): void => {
      reason ??= why;
      signalGroup(child.pid, 'SIGTERM');
      killer ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), TERMINATE_GRACE_MS);
    };
    const onAbort = (): void => stop('aborted');
    const timer = setTimeout(() => stop('timed out'), timeoutMs);
    const settle = (end: string): void => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal.removeEventListener('abort', onAbort);
      if (reason !== null) signalGroup(child.pid, 'SIGKILL');
      resolve(reason ?? end);
    };
    child.once('error', (error) =>
      settle('code' in error ? `could not start (${String(error.code)})` : 'could not start'),
    );
    child.once('exit', (code, signalName) =>
      settle(code === null ? `ended by ${signalName ?? 'a signal'}` : `exit code ${code}`),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // Already gone.
  }
}
