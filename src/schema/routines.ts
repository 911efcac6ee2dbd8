import type { Routine } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import type { DefinerOptions } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { replaceProgram } from './replace-program.ts';

export async function createRoutines(
  connection: Connection,
  routines: readonly Routine[],
  options: DefinerOptions,
): Promise<SchemaNote[]> {
  const notes: SchemaNote[] = [];
  for (const routine of routines) {
    const kind = routine.kind === 'FUNCTION' ? 'function' : 'procedure';
    notes.push(
      ...(await replaceProgram(connection, kind, routine, options, routine.createStatement)),
    );
  }
  return notes;
}
