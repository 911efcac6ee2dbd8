import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A process that cannot be mistaken for a later one with the same number: the kernel's start time
 * (clock ticks since boot) and the boot it counts from.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** Null when there is no such process, or it has ended and only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  let boot: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return null;
  }
  // The second field is the program's name in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (state === undefined || startTime === undefined || 'ZX'.includes(state)) return null;
  return { pid, startTime: `${boot}/${startTime}` };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** What `launch` wrote; null when there is no such file or it is unreadable. */
async function readIdentity(file: string): Promise<ProcessIdentity | null> {
  try {
    const { pid, startTime } = JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity;
    return { pid, startTime };
  } catch {
    return null;
  }
}

/** In a server's folder: which process serves from it. */
export const IDENTITY_FILE = 'process.json';

/** Null when no process serves from that folder. */
export async function runningIn(folder: string): Promise<ProcessIdentity | null> {
  const identity = await readIdentity(join(folder, IDENTITY_FILE));
  return identity !== null && isAlive(identity) ? identity : null;
}

/** Ends what serves from that folder; true when something did. */
export async function stopIn(folder: string, graceMs: number): Promise<boolean> {
  const running = await runningIn(folder);
  if (running !== null) await terminate(running, graceMs);
  await rm(join(folder, IDENTITY_FILE), { force: true });
  return running !== null;
}

/**
 * TERM, then KILL after `graceMs` to the whole process group: what is launched leads one, and a
 * guard's server must not outlive its guard. Does nothing when the process is gone already.
 */
export async function terminate(process_: ProcessIdentity, graceMs: number): Promise<void> {
  send(process_, process_.pid, 'SIGTERM');
  if (await isGone(process_, graceMs)) return;
  send(process_, -process_.pid, 'SIGKILL');
  if (!(await isGone(process_, 10_000))) {
    throw new Error(`process ${process_.pid} does not end`);
  }
}

function send(target: ProcessIdentity, to: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(target)) return;
  try {
    process.kill(to, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isGone(target: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(target)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}
