import type { Routine, ScheduledEvent, Trigger } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';
import { text } from '../mysql/catalog/text.ts';
import { errnoOf } from './attempt.ts';
import type { DefinerOptions } from './create-program.ts';
import { createProgram, definerNotes } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { withoutDefiner } from './program-header.ts';
import { inProgramSession } from './program-session.ts';

const EXISTS = [1304, 1359, 1537];

/** Creates a program; one that is there is left if it is the same, else dropped and created again. */
export async function replaceProgram(
  connection: Connection,
  kind: 'procedure' | 'function' | 'trigger' | 'event',
  program: Routine | Trigger | ScheduledEvent,
  options: DefinerOptions,
  statement: string,
): Promise<SchemaNote[]> {
  try {
    return await createProgram(connection, kind, program, options, statement);
  } catch (error) {
    if (!EXISTS.includes(errnoOf(error) ?? 0)) throw error;
  }
  // Unqualified and in the program's schema, so that the target's own spelling of it counts.
  const object = `${kind.toUpperCase()} ${quoteIdentifier(program.name.name)}`;
  const found = await inProgramSession(connection, { ...program, sqlMode: '' }, async () => {
    const [shown] = await connection.query(`SHOW CREATE ${object}`);
    return shown ?? {};
  });
  const now = text(Object.entries(found).find(([column]) => isDefinition(column))?.[1]);
  if (now === statement) return [];
  const sameMode = text(found['sql_mode']) === program.sqlMode;
  if (sameMode && withoutDefiner(now) === withoutDefiner(statement)) {
    return definerNotes(connection, kind, program);
  }
  await inProgramSession(connection, program, () => connection.execute(`DROP ${object}`));
  return createProgram(connection, kind, program, options, statement);
}

/** The column of SHOW CREATE that holds the statement: `Create Procedure`, …; a trigger's differs. */
function isDefinition(column: string): boolean {
  return column.startsWith('Create ') || column === 'SQL Original Statement';
}
