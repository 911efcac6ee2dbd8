import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { ProcessIdentity } from './identity.ts';
import { identify, terminate } from './identity.ts';

export type Life = { mode: 'detached' } | { mode: 'bound'; removeAfter?: string };

export interface LaunchOptions {
  command: readonly string[];
  /** stdout and stderr are appended here. */
  logFile: string;
  /**
   * `detached` outlives this process. `bound` ends with this process however it ends, SIGKILL
   * included, and then removes `removeAfter`.
   */
  life: Life;
  /** The process's identity is written here at once, so that a crash of this process loses no child. */
  identityFile: string;
  env?: NodeJS.ProcessEnv;
}

export interface LaunchedProcess {
  /** The process to be signalled; for a bound one its guard, which passes TERM on. */
  readonly identity: ProcessIdentity;
  /** Exit status in words once it has ended by itself. */
  readonly ended: () => string | null;
  stop(graceMs: number): Promise<void>;
}

/**
 * The guard of a bound process: it reads from a pipe whose other end only the starting process
 * holds. End of file means that the starter is gone, for whatever reason; no process number is
 * polled, so none can be mistaken for another.
 */
const guard = `
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
orphaned=
trap 'kill -TERM $child 2>/dev/null' TERM INT HUP
trap 'orphaned=1; kill -TERM $child 2>/dev/null; (n=0; while [ $n -lt 100 ]; do sleep 0.2; n=$((n+1)); done; kill -KILL $child 2>/dev/null) & killer=$!' USR1
( trap - TERM USR1; read -r _ <&3; kill -USR1 $$ ) &
lifeline=$!
while :; do wait $child; status=$?; kill -0 $child 2>/dev/null || break; done
kill $lifeline $killer 2>/dev/null
if [ -n "$orphaned" ] && [ -n "$folder" ]; then rm -rf -- "$folder"; fi
exit $status
`;

export function launch({
  command,
  logFile,
  life,
  identityFile,
  env,
}: LaunchOptions): LaunchedProcess {
  const log = openSync(logFile, 'a', 0o600);
  const bound = life.mode === 'bound';
  const [program, ...args] = bound
    ? ['/bin/sh', '-c', guard, 'skyferry-guard', life.removeAfter ?? '', ...command]
    : command;
  if (program === undefined) throw new RangeError('an empty command');
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      detached: true,
      stdio: [bound ? 'pipe' : 'ignore', log, log],
      ...(env !== undefined && { env }),
    });
  } finally {
    closeSync(log);
  }
  let end: string | null = null;
  child.on('error', (error) => (end = error.message));
  child.on('exit', (code, signal) => {
    end ??= signal === null ? `exit status ${code}` : `signal ${signal}`;
  });
  child.stdin?.on('error', () => {});
  // Neither the process nor its lifeline may keep this process from ending.
  child.unref();
  (child.stdin as unknown as { unref(): void } | null)?.unref();
  const identity = child.pid === undefined ? null : identify(child.pid);
  if (identity === null) {
    const gone = { pid: child.pid ?? 0, startTime: 'never' };
    return { identity: gone, ended: () => end ?? 'could not be started', stop: async () => {} };
  }
  writeFileSync(identityFile, JSON.stringify(identity), { mode: 0o600 });
  return {
    identity,
    ended: () => end,
    stop: (graceMs) => terminate(identity, graceMs),
  };
}
