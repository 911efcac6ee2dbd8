import { spawn } from 'node:child_process';

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Each line of stderr and stdout as it comes. */
  onLine?: (line: string) => void;
}

export interface RunResult {
  /** Null when it was ended by a signal or could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  /** The last 4,000 characters; the reason in words when the program could not be started. */
  readonly stderr: string;
}

/** Runs a short-lived program to its end. Never throws for what the program does. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new RangeError('an empty command');
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.env !== undefined && { env: options.env }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    let stdout = '';
    let stderr = '';
    const lines = options.onLine === undefined ? null : lineSplitter(options.onLine);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      lines?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4000);
      lines?.(text);
    });
    child.on('error', (error) => resolve({ status: null, stdout, stderr: error.message }));
    child.on('close', (status) => resolve({ status, stdout, stderr: stderr.trim() }));
  });
}

function lineSplitter(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onLine(line);
  };
}
