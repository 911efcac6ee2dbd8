/** As `MySqlConnectionInfo` is documented since the api-version that tasks are sent with. */
export interface MySqlConnectionInfo {
  readonly type: 'MySqlConnectionInfo';
  readonly serverName: string;
  readonly port: number;
  readonly userName: string;
  readonly password: string;
  /** By TLS. Which authority vouches for the server cannot be said. */
  readonly encryptConnection: boolean;
}

/** The tasks that move MySQL online. Holds passwords: sent, never shown. */
export type TaskRequest =
  | {
      readonly taskType: 'ConnectToSource.MySql';
      readonly input: {
        readonly sourceConnectionInfo: MySqlConnectionInfo;
        readonly targetPlatform: 'AzureDbForMySQL';
        readonly checkPermissionsGroup: 'MigrationFromMySQLToAzureDBForMySQL';
        readonly isOfflineMigration: boolean;
      };
    }
  | {
      readonly taskType: 'ConnectToTarget.AzureDbForMySql';
      readonly input: {
        readonly sourceConnectionInfo: MySqlConnectionInfo;
        readonly targetConnectionInfo: MySqlConnectionInfo;
        readonly isOfflineMigration: boolean;
      };
    }
  | {
      readonly taskType: 'Migrate.MySql.AzureDbForMySql.Sync';
      readonly input: {
        readonly sourceConnectionInfo: MySqlConnectionInfo;
        readonly targetConnectionInfo: MySqlConnectionInfo;
        readonly selectedDatabases: readonly {
          readonly name: string;
          readonly targetDatabaseName: string;
        }[];
      };
    };
