import type { TaskRequest } from '../../clouds/azure/data-migration/task-request.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { spelledOn } from '../../mysql/identifier.ts';
import type { DmsJob, DmsPlace } from './job.ts';

export function connectToSource({ source }: DmsPlace): TaskRequest {
  return {
    taskType: 'ConnectToSource.MySql',
    input: {
      sourceConnectionInfo: connectionInfo(source),
      targetPlatform: 'AzureDbForMySQL',
      checkPermissionsGroup: 'MigrationFromMySQLToAzureDBForMySQL',
      isOfflineMigration: false,
    },
  };
}

export function connectToTarget({ source, target }: DmsPlace): TaskRequest {
  return {
    taskType: 'ConnectToTarget.AzureDbForMySql',
    input: {
      sourceConnectionInfo: connectionInfo(source),
      targetConnectionInfo: connectionInfo(target),
      isOfflineMigration: false,
    },
  };
}

export function sync({ source, target, catalog, lctn }: DmsJob): TaskRequest {
  return {
    taskType: 'Migrate.MySql.AzureDbForMySql.Sync',
    input: {
      sourceConnectionInfo: connectionInfo(source),
      targetConnectionInfo: connectionInfo(target),
      selectedDatabases: catalog.schemas.map(({ name }) => ({
        name,
        targetDatabaseName: spelledOn({ schema: name, name: '' }, lctn).schema,
      })),
    },
  };
}

function connectionInfo({ host, port, user, password, token, tls }: Endpoint) {
  if (token !== undefined) throw needsPassword(user);
  return {
    type: 'MySqlConnectionInfo' as const,
    serverName: host,
    port,
    userName: user,
    password,
    encryptConnection: tls.mode !== 'disabled',
  };
}

function needsPassword(user: string): SkyferryFailure {
  return new SkyferryFailure(
    'CONFIG_INVALID',
    `Azure DMS logs in with a password, and ${user} has none`,
    { safe: 'nothing was sent to Azure', next: 'give that account a password, or switch-engine' },
  );
}
