import { SkyferryFailure } from '../failures.ts';
import type { Grants } from '../mysql/grants.ts';
import { quoteIdentifier } from '../mysql/identifier.ts';

/**
 * Schema-wide privileges that are missing, as one GRANT for each schema.
 *
 * @param account as a GRANT names it
 */
export function missingOnSchemas(
  grants: Grants,
  privileges: readonly string[],
  schemas: readonly string[],
  account: string,
): { schema: string; missing: string[]; fix: string }[] {
  if (schemas.length === 0)
    throw new SkyferryFailure('INTERNAL', 'no schema to check privileges on');
  return schemas.flatMap((schema) => {
    const missing = privileges.filter((privilege) => !grants.onSchema(privilege, schema));
    if (missing.length === 0) return [];
    const on = `${quoteIdentifier(schema)}.*`;
    return [{ schema, missing, fix: `GRANT ${missing.join(', ')} ON ${on} TO ${account};` }];
  });
}
