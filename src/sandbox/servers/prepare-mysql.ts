import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import type { Account } from './accounts.ts';
import { accountStatements } from './accounts.ts';

/** Statements that leave a new server with one superuser of that name and nobody else. */
export function superuserStatements(user: string, password: string): string[] {
  const name = `'${user}'@'localhost'`;
  return [
    `CREATE USER ${name} IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO ${name} WITH GRANT OPTION`,
    "DROP USER 'root'@'localhost'",
  ];
}

/**
 * Makes accounts and what else a server has from the start, outside its binlog: a migration is not
 * to see it. A server whose preparation was interrupted is begun again; see `discardUnprepared`.
 */
export async function prepareServer(
  superuser: Endpoint,
  folder: string,
  accounts: readonly Account[],
  statements: readonly string[],
): Promise<void> {
  if (isPrepared(folder)) return;
  await withConnection(superuser, { session: ['SET sql_log_bin = 0'] }, async (connection) => {
    for (const statement of statements) await connection.query(statement);
    for (const account of accounts) {
      for (const statement of accountStatements(account)) await connection.query(statement);
    }
  });
  await writeFile(marker(folder), '', { mode: 0o600 });
}

/** Data of a server that was never prepared to the end. */
export async function discardUnprepared(folder: string): Promise<void> {
  if (!isPrepared(folder)) await rm(join(folder, 'data'), { recursive: true, force: true });
}

/** It has its accounts: `prepareServer` came to its end. */
export function isPrepared(folder: string): boolean {
  return existsSync(marker(folder));
}

function marker(folder: string): string {
  return join(folder, 'prepared');
}
