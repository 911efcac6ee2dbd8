import type { Endpoint } from '../mysql/endpoint.ts';
import { cacheFolder } from './cache.ts';
import type { Life } from './process/launch.ts';
import type { Program } from './resolver/program.ts';
import type { Sandbox } from './sandbox.ts';
import type { Account } from './servers/accounts.ts';
import { azureLikeAccounts, azureLikeFlags } from './servers/azure-like-target.ts';
import { serverCertificateFlags } from './servers/certificates.ts';
import { endLeftover } from './servers/leftover.ts';
import { startMysqlServer } from './servers/mysql-server.ts';
import { discardUnprepared, prepareServer, superuserStatements } from './servers/prepare-mysql.ts';
import {
  rdsConfigurationStatements,
  rdsLikeAccounts,
  rdsLikeFlags,
} from './servers/rds-like-source.ts';
import { startTemporalServer } from './servers/temporal-server.ts';
import type { Layout, ServerName } from './state.ts';

interface Start {
  sandbox: Sandbox;
  layout: Layout;
  programs: { mysqld: Program; temporal: Program };
  life: Life['mode'];
}

/** Each resolves when its server serves, with what it has from the start. */
export const starters: Record<ServerName, (start: Start) => Promise<void>> = {
  source: (start) => {
    const { source, state } = start.sandbox;
    const passwords = {
      admin: source.admin.password,
      migration: source.migration.password,
      fence: source.fence.password,
      app: source.app.password,
    };
    return startPrepared(start, {
      name: 'source',
      superuser: source.superuser,
      flags: rdsLikeFlags(start.programs.mysqld),
      lowerCaseTableNames: 0,
      accounts: rdsLikeAccounts(start.programs.mysqld.version, state.schemas, passwords),
      statements: rdsConfigurationStatements,
    });
  },
  target: (start) => {
    const { target, state } = start.sandbox;
    const passwords = {
      admin: target.admin.password,
      migration: target.migration.password,
      app: target.app.password,
    };
    return startPrepared(start, {
      name: 'target',
      superuser: target.superuser,
      flags: azureLikeFlags(start.programs.mysqld, state.target),
      lowerCaseTableNames: 1,
      accounts: azureLikeAccounts(state.schemas, passwords),
      statements: [],
    });
  },
  temporal: async ({ sandbox: { state }, layout, programs, life }) => {
    await startTemporalServer({
      program: programs.temporal,
      folder: layout.server.temporal,
      ports: { grpc: state.ports.temporal, ui: state.ports.temporalUi },
      ui: true,
      persisted: true,
      life: { mode: life },
    });
  },
};

interface MysqlPlan {
  name: 'source' | 'target';
  superuser: Endpoint;
  flags: readonly string[];
  lowerCaseTableNames: 0 | 1;
  accounts: readonly Account[];
  statements: readonly string[];
}

async function startPrepared(
  { layout, programs, life }: Start,
  { name, superuser, flags, lowerCaseTableNames, accounts, statements }: MysqlPlan,
): Promise<void> {
  const folder = layout.server[name];
  await endLeftover(folder);
  await discardUnprepared(folder);
  await startMysqlServer({
    program: programs.mysqld,
    cache: cacheFolder(),
    folder,
    port: superuser.port,
    lowerCaseTableNames,
    flags: [...flags, ...serverCertificateFlags(folder)],
    firstStatements: superuserStatements(superuser.user, superuser.password),
    endpoint: superuser,
    life: { mode: life },
  });
  await prepareServer(superuser, folder, accounts, statements);
}
