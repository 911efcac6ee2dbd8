import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloudsLab } from './clouds-lab.ts';

/** What the clouds keep on disk, in their own form. */
export async function stored<T>({ clouds }: CloudsLab, name: string): Promise<Record<string, T>> {
  const text = await readFile(join(clouds.folder, 'state', `${name}.json`), 'utf8');
  return JSON.parse(text) as Record<string, T>;
}

interface KeptServer {
  readonly overrides: Readonly<Record<string, string>>;
  readonly started?: unknown;
}

/** An Azure server as last asked for; what it was started with changes with every restart. */
export async function azureServer(lab: CloudsLab, name: string): Promise<KeptServer | undefined> {
  const found = (await stored<KeptServer>(lab, 'azure/flexible-servers'))[name];
  return found === undefined ? undefined : { ...found, started: undefined };
}

/** What was done to an Azure server, and how often. */
export async function azureOperations(
  lab: CloudsLab,
  server: string,
): Promise<Record<string, number>> {
  const all = await stored<{ kind: string; resource: string }>(
    lab,
    'azure/operations-Microsoft.DBforMySQL',
  );
  const counts: Record<string, number> = {};
  for (const { kind, resource } of Object.values(all)) {
    if (resource.split('/')[0] !== server) continue;
    const key = `${kind} ${resource}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
