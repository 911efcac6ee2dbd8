import type { Connection } from '../mysql/connection.ts';
import { displayName } from '../mysql/identifier.ts';
import { attempt, errnoOf } from './attempt.ts';
import type { SchemaNote } from './job.ts';
import { withCurrentDefiner } from './program-header.ts';
import type { StoredObject } from './program-session.ts';
import { inProgramSession } from './program-session.ts';

/** `keep`: as on the source where the account may; `rewrite`: always the account that creates. */
export interface DefinerOptions {
  readonly definers: 'keep' | 'rewrite';
  readonly signal?: AbortSignal;
}

/** SET_ANY_DEFINER, or for a definer with SYSTEM_USER that one too, is missing; or so is the definer. */
const MAY_NOT_SET_DEFINER = [1227, 1449];
const NO_SUCH_USER = 1449;

/**
 * Creates a program by `statement`, with its definer if it may be kept; returns the note when it was
 * not. A failure names the program.
 */
export async function createProgram(
  connection: Connection,
  kind: SchemaNote['kind'],
  program: StoredObject,
  { definers }: DefinerOptions,
  statement: string,
): Promise<SchemaNote[]> {
  const create = (sql: string) =>
    attempt(`create ${kind} ${displayName(program.name)}`, () =>
      inProgramSession(connection, program, async () => {
        await connection.execute(sql);
        return connection.query('SHOW WARNINGS');
      }),
    );
  if (definers === 'keep') {
    try {
      const warnings = await create(statement);
      const missing = warnings.some((warning) => Number(warning['Code']) === NO_SUCH_USER);
      return missing ? [missingDefiner(kind, program)] : [];
    } catch (error) {
      if (!MAY_NOT_SET_DEFINER.includes(errnoOf(error) ?? 0)) throw error;
    }
  }
  await create(withCurrentDefiner(statement));
  return definerNotes(connection, kind, program);
}

/** For a program whose definer was given up, unless it is the creating account anyhow. */
export async function definerNotes(
  connection: Connection,
  kind: SchemaNote['kind'],
  program: StoredObject,
): Promise<SchemaNote[]> {
  const [row] = await connection.query<{ account: string }>('SELECT CURRENT_USER() AS account');
  const account = row?.account ?? '';
  if (account === program.definer) return [];
  return [
    {
      kind,
      name: program.name,
      code: 'DEFINER_REWRITTEN',
      text: `the definer ${program.definer} could not be kept: it is ${account} now, and the ${kind} runs with that account's rights`,
    },
  ];
}

function missingDefiner(kind: SchemaNote['kind'], program: StoredObject): SchemaNote {
  return {
    kind,
    name: program.name,
    code: 'DEFINER_MISSING',
    text: `the definer ${program.definer} does not exist on the target: create that account, or using the ${kind} fails with error 1449`,
  };
}
