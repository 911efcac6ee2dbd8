import { stopServers } from './down.ts';
import { isFree } from './process/free-port.ts';
import { runningIn } from './process/identity.ts';
import { describeSandbox } from './sandbox.ts';
import { answers } from './servers/mysql-server.ts';
import { isPrepared } from './servers/prepare-mysql.ts';
import type { Layout, SandboxState, ServerName } from './state.ts';
import { serverNames } from './state.ts';

/** Alive and serving. One that is alive and does not answer is stopped, to be started again. */
export async function runningServers(
  layout: Layout,
  state: SandboxState | null,
): Promise<ServerName[]> {
  const running: ServerName[] = [];
  for (const name of serverNames) {
    if ((await runningIn(layout.server[name])) === null) continue;
    if (state !== null && (await serves(name, layout, state))) running.push(name);
    else await stopServers(layout, [name]);
  }
  return running;
}

async function serves(name: ServerName, layout: Layout, state: SandboxState): Promise<boolean> {
  if (name === 'temporal') return !(await isFree(state.ports.temporal));
  const sandbox = await describeSandbox(layout, state);
  return (await answers(sandbox[name].superuser)) && isPrepared(layout.server[name]);
}
