import type { Endpoint } from '../../mysql/endpoint.ts';
import { withConnection } from '../../mysql/connection.ts';
import { quoteIdentifier } from '../../mysql/identifier.ts';
import {
  account,
  owner,
  ownerDefiner,
  privileged,
  privilegedDefiner,
} from './definitions/definers.ts';
import { sampleSchemas } from './schemas.ts';

/**
 * Creates the definers' accounts, locked: an object runs with its definer's rights also when nobody
 * can log in as it. A target needs the owner's account before the application moves there; the
 * privileged one only root can create, so it is left out unless asked for.
 */
export async function createSampleDefiners(
  admin: Endpoint,
  { withPrivileged }: { withPrivileged: boolean },
): Promise<void> {
  await withConnection(admin, {}, async (connection) => {
    await connection.execute(`CREATE USER IF NOT EXISTS ${owner} ACCOUNT LOCK`);
    for (const statement of grantsFor(owner)) await connection.execute(statement);
    if (!withPrivileged) return;
    await connection.execute(`CREATE USER IF NOT EXISTS ${privileged} ACCOUNT LOCK`);
    await connection.execute(`GRANT SYSTEM_USER ON *.* TO ${privileged}`);
    for (const statement of grantsFor(privileged)) await connection.execute(statement);
  });
}

/** What the application's own account needs on the sample's schemas, on either server. */
export function applicationGrants(application: { user: string; host: string }): string[] {
  return sampleSchemas.map(
    (schema) =>
      `GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON ${quoteIdentifier(schema)}.* TO ${account(application)}`,
  );
}

/** Accounts that own objects of the sample and exist. */
export const sampleDefiners = [ownerDefiner, privilegedDefiner] as const;

function grantsFor(definer: string): string[] {
  return sampleSchemas.map(
    (schema) =>
      `GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, TRIGGER, EVENT ON ${quoteIdentifier(schema)}.* TO ${definer}`,
  );
}
