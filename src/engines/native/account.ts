import { createHash, randomBytes } from 'node:crypto';
import type { Checkpoint } from '../../checkpoint/store.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';

export interface ReplicationLogin {
  readonly user: string;
  readonly password: string;
}

/** One for each migration; at most 32 characters. */
export function accountName({ name, sourceUuid }: Pick<Checkpoint, 'name' | 'sourceUuid'>): string {
  const hash = createHash('sha256').update(`${sourceUuid} ${name}`).digest('hex');
  return `skyferry_repl_${hash.slice(0, 12)}`;
}

/**
 * Makes the account, or gives the one that an earlier attempt made a new password: the old one is known
 * to nobody. Replication cuts passwords at 32 characters.
 */
export async function createAccount(source: Endpoint, user: string): Promise<ReplicationLogin> {
  const password = `${randomBytes(18).toString('base64url')}.aA1`;
  const tls = source.tls.mode === 'disabled' ? '' : ' REQUIRE SSL';
  try {
    await withConnection(source, {}, async (connection) => {
      const login = [user, password];
      await connection.execute(`CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?${tls}`, login);
      await connection.execute(`ALTER USER ?@'%' IDENTIFIED BY ?${tls}`, login);
      await connection.execute("GRANT REPLICATION SLAVE ON *.* TO ?@'%'", [user]);
    });
  } catch (error) {
    if (!isFailure(error, 'ACCESS_DENIED')) throw error;
    throw new SkyferryFailure(
      'ACCESS_DENIED',
      'the source account may not make an account for replication',
      {
        safe: 'the source takes writes as before',
        next: 'make one yourself (REPLICATION SLAVE, a password of at most 32 characters) and name it as native.account',
      },
    );
  }
  return { user, password };
}

/** Says what it did; a source that is fenced or switched off keeps the account, which is said. */
export async function dropAccount(
  source: Endpoint,
  user: string,
  signal: AbortSignal,
): Promise<string> {
  try {
    await withConnection(source, { signal }, (connection) =>
      connection.execute("DROP USER IF EXISTS ?@'%'", [user]),
    );
    return `dropped the replication account ${user} on the source`;
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return `the replication account ${user} is still on the source (${error.code}); once it takes writes: DROP USER '${user}'@'%';`;
  }
}
