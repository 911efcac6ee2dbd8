import { existsSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MYSQL_IMAGE } from './resolver/docker-mysql.ts';
import { CA_FILE, passwordFiles } from './sandbox.ts';
import { sampleSchemas } from './sample/schemas.ts';
import type { SecretsFolder } from './secrets-folder.ts';
import { openSecretsFolder } from './secrets-folder.ts';
import type { Account } from './servers/accounts.ts';
import { accountStatements } from './servers/accounts.ts';
import { azureLikeAccounts, SUPERUSER as TARGET_SUPERUSER } from './servers/azure-like-target.ts';
import {
  AUTHORITY_FILE,
  CERTIFICATE_FILE,
  createAuthority,
  KEY_FILE,
  writeServerCertificate,
} from './servers/certificates.ts';
import { superuserStatements } from './servers/prepare-mysql.ts';
import {
  rdsConfigurationStatements,
  rdsLikeAccounts,
  SUPERUSER as SOURCE_SUPERUSER,
} from './servers/rds-like-source.ts';

/** What the image of docker-compose.yml holds. */
const MYSQL_VERSION = MYSQL_IMAGE.replace('mysql:', '');
/** The account under which that image runs its server. */
const MYSQL_UID = 999;

/**
 * What `docker-compose.yml` starts from, so that nothing secret stands in it: below `folder`,
 * `source/` and `target/` for the servers (certificate, root's password, accounts as SQL) and
 * `secrets/` for the worker. Passwords and certificates that are there already are kept.
 */
export async function writeComposeFiles(
  folder: string,
  { owner = MYSQL_UID }: { owner?: number } = {},
): Promise<void> {
  const secrets = await openSecretsFolder(join(folder, 'secrets'));
  const passwords = {
    admin: await secrets.password(passwordFiles.source.admin),
    migration: await secrets.password(passwordFiles.source.migration),
    fence: await secrets.password(passwordFiles.source.fence),
    app: await secrets.password(passwordFiles.source.app),
  };
  const targetPasswords = {
    admin: await secrets.password(passwordFiles.target.admin),
    migration: await secrets.password(passwordFiles.target.migration),
    app: await secrets.password(passwordFiles.target.app),
  };
  await writeServerFiles(join(folder, 'source'), owner, {
    superuser: SOURCE_SUPERUSER,
    accounts: rdsLikeAccounts(MYSQL_VERSION, sampleSchemas, passwords),
    statements: rdsConfigurationStatements,
  });
  await writeServerFiles(join(folder, 'target'), owner, {
    superuser: TARGET_SUPERUSER,
    accounts: azureLikeAccounts(sampleSchemas, targetPasswords),
    statements: [],
  });
  await writeCertificates(folder, secrets, owner);
}

async function writeServerFiles(
  folder: string,
  owner: number,
  server: { superuser: string; accounts: readonly Account[]; statements: readonly string[] },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const own = await openSecretsFolder(folder);
  const superuserPassword = await own.password('superuser-password');
  await own.password('root-password');
  const statements = [
    'SET sql_log_bin = 0',
    // Root stays: the image makes it and uses it on its socket.
    ...superuserStatements(server.superuser, superuserPassword).filter(
      (s) => !s.startsWith('DROP'),
    ),
    ...server.statements,
    ...server.accounts.flatMap(accountStatements),
  ];
  // The image feeds it to the mysql client, for which a routine's body needs another delimiter.
  const script = ['DELIMITER //', ...statements.map((statement) => `${statement} //`), ''];
  await own.write('accounts.sql', script.join('\n'));
  for (const file of ['root-password', 'accounts.sql'])
    await chown(join(folder, file), owner, owner);
}

async function writeCertificates(
  folder: string,
  secrets: SecretsFolder,
  owner: number,
): Promise<void> {
  const names = ['source', 'target'] as const;
  const present = names.every((name) => existsSync(join(folder, name, CERTIFICATE_FILE)));
  if (present && (await secrets.read(CA_FILE)) !== null) return;
  const authority = await createAuthority('Skyferry compose authority');
  for (const name of names) {
    const server = join(folder, name);
    // By the service's name between containers, by localhost from outside.
    await writeServerCertificate(authority, [name, 'localhost'], server);
    for (const file of [AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE])
      await chown(join(server, file), owner, owner);
  }
  await writeFile(join(folder, 'secrets', CA_FILE), authority.certificate, { mode: 0o600 });
}
