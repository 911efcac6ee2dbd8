import type { Connection } from '../connection.ts';
import { displayName, qualify } from '../identifier.ts';
import { shownProgram } from './shown-program.ts';
import { byKey, text } from './text.ts';
import type { Routine } from './types.ts';

export async function readRoutines(
  connection: Connection,
  schemas: readonly string[],
): Promise<Routine[]> {
  const rows = await connection.query(
    `SELECT ROUTINE_SCHEMA AS routineSchema, ROUTINE_NAME AS routineName, ROUTINE_TYPE AS kind, DEFINER AS definer
       FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  const routines: Routine[] = [];
  for (const row of rows) {
    const kind = text(row['kind']) === 'FUNCTION' ? 'FUNCTION' : 'PROCEDURE';
    const name = { schema: text(row['routineSchema']), name: text(row['routineName']) };
    const [shown] = await connection.query(`SHOW CREATE ${kind} ${qualify(name)}`);
    const createStatement = shown?.[kind === 'FUNCTION' ? 'Create Function' : 'Create Procedure'];
    routines.push({
      kind,
      name,
      definer: text(row['definer']),
      ...shownProgram(displayName(name), shown, createStatement),
    });
  }
  return routines.sort(
    byKey((routine) => `${routine.name.schema}\0${routine.kind}\0${routine.name.name}`),
  );
}
