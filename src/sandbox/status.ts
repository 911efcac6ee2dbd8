import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runningIn } from './process/identity.ts';
import { HOST } from './sandbox.ts';
import type { SandboxState, ServerName } from './state.ts';
import { layoutOf, readState } from './state.ts';

export interface SandboxStatus {
  readonly stateDir: string;
  /** `absent`: nothing was ever made in this folder, or it was reset. */
  readonly state: 'up' | 'partly-up' | 'down' | 'absent';
  readonly servers: readonly ServerStatus[];
}

interface ServerStatus {
  readonly name: ServerName | 'clouds';
  readonly running: boolean;
  readonly pid: number | null;
  readonly address: string;
  /** Only the Temporal server has one. */
  readonly uiUrl?: string;
  readonly program: string;
}

/** By the processes' identities alone: nothing is connected to and nothing changed. */
export async function status({ stateDir }: { stateDir: string }): Promise<SandboxStatus> {
  const layout = layoutOf(stateDir);
  const state = await readState(layout);
  if (state === null) return { stateDir: layout.root, state: 'absent', servers: [] };
  const servers = await Promise.all(
    state.servers.map((name) => serverStatus(name, layout.server[name], state)),
  );
  const clouds = await cloudsStatus(layout.clouds);
  if (clouds !== null) servers.push(clouds);
  const running = servers.filter((server) => server.running).length;
  const all = running === servers.length;
  return {
    stateDir: layout.root,
    state: all ? 'up' : running > 0 ? 'partly-up' : 'down',
    servers,
  };
}

/** Null: this sandbox never had any. */
async function cloudsStatus(folder: string): Promise<ServerStatus | null> {
  if (!existsSync(folder)) return null;
  const serving = await runningIn(folder);
  const text = await readFile(join(folder, 'ready.json'), 'utf8').catch(() => '{}');
  const { url = 'not ready' } = JSON.parse(text) as { url?: string };
  return {
    name: 'clouds',
    running: serving !== null,
    pid: serving?.pid ?? null,
    address: url,
    program: 'fakes with real MySQL servers',
  };
}

async function serverStatus(
  name: ServerName,
  folder: string,
  { ports, programs }: SandboxState,
): Promise<ServerStatus> {
  const serving = await runningIn(folder);
  const seen = { name, running: serving !== null, pid: serving?.pid ?? null };
  if (name === 'temporal') {
    const address = `127.0.0.1:${ports.temporal}`;
    const uiUrl = `http://127.0.0.1:${ports.temporalUi}`;
    return { ...seen, address, uiUrl, program: programs.temporal };
  }
  return { ...seen, address: `${HOST}:${ports[name]}`, program: programs.mysqld };
}
