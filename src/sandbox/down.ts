import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { stopClouds } from './clouds/launch.ts';
import { stopIn } from './process/identity.ts';
import { lock } from './process/lock.ts';
import { STOP_GRACE_MS } from './servers/mysql-server.ts';
import type { Layout, ServerName } from './state.ts';
import { layoutOf, serverNames } from './state.ts';

/** Stops every server of the sandbox, data kept. Returns the names of those that ran. */
export async function down({ stateDir }: { stateDir: string }): Promise<string[]> {
  const layout = layoutOf(stateDir);
  if (!existsSync(layout.root)) return [];
  await using _ = await lock(layout.lockFile);
  return await stopAll(layout);
}

/** Stops the servers and removes their data, accounts and passwords; anything else in the folder stays. */
export async function reset({ stateDir }: { stateDir: string }): Promise<void> {
  const layout = layoutOf(stateDir);
  if (!existsSync(layout.root)) return;
  await using _ = await lock(layout.lockFile);
  await stopAll(layout);
  const made = [
    ...Object.values(layout.server),
    layout.secrets,
    layout.superusers,
    layout.stateFile,
    layout.clouds,
  ];
  for (const path of made) await rm(path, { recursive: true, force: true });
}

async function stopAll(layout: Layout): Promise<string[]> {
  const [servers, clouds] = await Promise.all([
    stopServers(layout, serverNames),
    stopClouds(layout.clouds),
  ]);
  return clouds ? [...servers, 'clouds'] : servers;
}

export async function stopServers(
  layout: Layout,
  names: readonly ServerName[],
): Promise<ServerName[]> {
  const stopped = await Promise.all(
    names.map(async (name) => ((await stopIn(layout.server[name], STOP_GRACE_MS)) ? [name] : [])),
  );
  return stopped.flat();
}
