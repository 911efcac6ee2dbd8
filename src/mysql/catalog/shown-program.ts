import { SkyferryFailure } from '../../failures.ts';
import { text } from './text.ts';

/** What SHOW CREATE says of every stored program alike; a body that may not be read is ACCESS_DENIED. */
export function shownProgram(
  name: string,
  shown: Record<string, unknown> | undefined,
  statement: unknown,
) {
  if (shown === undefined || statement === null || statement === undefined) {
    throw new SkyferryFailure(
      'ACCESS_DENIED',
      `the definition of ${name} is hidden from this account`,
      {
        next: 'GRANT SHOW_ROUTINE or SELECT ON *.* (routines), TRIGGER and EVENT ON the schema to that account',
      },
    );
  }
  return {
    sqlMode: text(shown['sql_mode']),
    characterSetClient: text(shown['character_set_client']),
    collationConnection: text(shown['collation_connection']),
    databaseCollation: text(shown['Database Collation']),
    createStatement: text(statement),
  };
}
