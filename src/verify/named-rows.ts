import { readCheckpoint, remember } from '../checkpoint/store.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Verdict } from './verdict.ts';

/**
 * The rows that the last comparison named. Keys are values of rows, so they are kept on the target, where
 * whoever may read the rows can read them, and never in a workflow's history.
 */
export type NamedRows = Pick<Verdict, 'differing' | 'unsettled'>;

export async function rememberNamedRows(
  target: Connection,
  migration: string,
  { differing, unsettled }: NamedRows,
): Promise<void> {
  await remember(target, migration, { verification: { differing, unsettled } });
}

/** null: nothing was compared yet, or the checkpoint is gone. */
export async function readNamedRows(
  target: Connection,
  migration: string,
): Promise<NamedRows | null> {
  const checkpoint = await readCheckpoint(target, migration);
  const verification = checkpoint?.remembered['verification'] as Partial<NamedRows> | undefined;
  if (verification === undefined) return null;
  return { differing: verification.differing ?? [], unsettled: verification.unsettled ?? [] };
}
