import type { Checkpoint } from '../../checkpoint/store.ts';
import { readCheckpoint } from '../../checkpoint/store.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { isFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import type { Finding } from '../../preflight/finding.ts';

/** Found before anything is prepared anew: what has been switched to serves applications. */
export async function switchedFindings(
  { name }: MigrationConfig,
  connect: () => Promise<Connection>,
): Promise<Finding[]> {
  const state = await stateOf(name, connect);
  if (state === null || state === 'active') return [];
  return [
    {
      code: 'name-taken',
      severity: 'blocker',
      object: `migration ${name}`,
      found: `has ${state} on this target already: applications use it`,
      fix: 'choose another name for a new migration',
    },
  ];
}

async function stateOf(
  name: string,
  connect: () => Promise<Connection>,
): Promise<Checkpoint['state'] | null> {
  try {
    await using connection = await connect();
    return (await readCheckpoint(connection, name))?.state ?? null;
  } catch (error) {
    // Not let in yet, or there is nothing that this account may read.
    if (isFailure(error)) return null;
    throw error;
  }
}
