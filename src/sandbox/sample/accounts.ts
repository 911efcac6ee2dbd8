import type { Endpoint } from '../../mysql/endpoint.ts';
import { withConnection } from '../../mysql/connection.ts';
import { quoteIdentifier } from '../../mysql/identifier.ts';
import { owner, privileged } from './definitions/definers.ts';
import { sampleSchemas } from './schemas.ts';

/**
 * Creates the definers' accounts, locked: an object runs with its definer's rights also when nobody
 * can log in as it.
 */
export async function createSampleDefiners(admin: Endpoint): Promise<void> {
  await withConnection(admin, {}, async (connection) => {
    await connection.execute(`CREATE USER IF NOT EXISTS ${owner} ACCOUNT LOCK`);
    for (const statement of grantsFor(owner)) await connection.execute(statement);
    await connection.execute(`CREATE USER IF NOT EXISTS ${privileged} ACCOUNT LOCK`);
    await connection.execute(`GRANT SYSTEM_USER ON *.* TO ${privileged}`);
    for (const statement of grantsFor(privileged)) await connection.execute(statement);
  });
}

function grantsFor(definer: string): string[] {
  return sampleSchemas.map(
    (schema) =>
      `GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, TRIGGER, EVENT ON ${quoteIdentifier(schema)}.* TO ${definer}`,
  );
}
