import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, readIdentity, terminate } from './process/identity.ts';
import { lock } from './process/lock.ts';
import { IDENTITY_FILE, STOP_GRACE_MS } from './servers/mysql-server.ts';
import type { Layout, ServerName } from './state.ts';
import { layoutOf, serverNames } from './state.ts';

/** Stops every server of the sandbox, data kept. Returns the names of those that ran. */
export async function down({ stateDir }: { stateDir: string }): Promise<ServerName[]> {
  const layout = layoutOf(stateDir);
  if (!existsSync(layout.root)) return [];
  await using _ = await lock(layout.lockFile);
  return await stopServers(layout, serverNames);
}

/** Stops the servers and removes their data, accounts and passwords; anything else in the folder stays. */
export async function reset({ stateDir }: { stateDir: string }): Promise<void> {
  const layout = layoutOf(stateDir);
  if (!existsSync(layout.root)) return;
  await using _ = await lock(layout.lockFile);
  await stopServers(layout, serverNames);
  const made = [
    ...Object.values(layout.server),
    layout.secrets,
    layout.superusers,
    layout.stateFile,
  ];
  for (const path of made) await rm(path, { recursive: true, force: true });
}

export async function stopServers(
  layout: Layout,
  names: readonly ServerName[],
): Promise<ServerName[]> {
  const stopped = await Promise.all(
    names.map(async (name) => {
      const file = join(layout.server[name], IDENTITY_FILE);
      const identity = await readIdentity(file);
      const ran = identity !== null && isAlive(identity);
      if (ran) await terminate(identity, STOP_GRACE_MS);
      await rm(file, { force: true });
      return ran ? [name] : [];
    }),
  );
  return stopped.flat();
}
