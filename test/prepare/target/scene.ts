import { createAzureClients } from '../../../src/clouds/azure/clients.ts';
import type { MigrationConfig } from '../../../src/config/schema.ts';
import { openConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import type { CompletedAct, Formers, Survey } from '../../../src/prepare/act.ts';
import type { SourceFacts } from '../../../src/prepare/source-facts.ts';
import { targetAct } from '../../../src/prepare/target/acts.ts';
import { surveyTarget } from '../../../src/prepare/target/survey.ts';
import type { TargetInput } from '../../../src/prepare/target/target.ts';
import { undoTarget } from '../../../src/prepare/target/undo.ts';
import type { TestClouds } from '../../clouds.ts';

export const PASSWORD = 'correct-Horse-7-battery';
export const signal = AbortSignal.timeout(120_000);

export const source: SourceFacts = {
  version: '8.0.36',
  sizeBytes: 2 ** 30,
  variables: {
    sql_mode: 'NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES',
    character_set_server: 'latin1',
    collation_server: 'latin1_swedish_ci',
    time_zone: 'UTC',
    max_allowed_packet: '67108864',
    event_scheduler: 'ON',
    log_bin_trust_function_creators: 'ON',
    innodb_ft_min_token_size: '2',
    gtid_mode: 'ON',
  },
};

/** One worker's view of the clouds: as a new process would have it. */
export function openScene(clouds: TestClouds) {
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  const clients = createAzureClients({ env: clouds.env, ca: clouds.ca });
  const input = (config: MigrationConfig, formers: Formers = {}): TargetInput => ({
    config,
    clients,
    source,
    formers,
    resolvePassword: async () => PASSWORD,
    openTarget: ({ host }, until) => openConnection(endpoint(config, host), { signal: until }),
  });
  const endpoint = (config: MigrationConfig, host: string): Endpoint => ({
    host,
    port: 3306,
    user: config.target.user,
    password: PASSWORD,
    tls: { mode: 'verify-identity', ca: clouds.ca },
  });
  return {
    clients,
    act: (config: MigrationConfig, name: string, formers: Formers = {}) =>
      targetAct(name, input(config, formers)),
    survey: (config: MigrationConfig): Promise<Survey> =>
      surveyTarget({ config, clients, source, now: new Date() }, { signal }),
    perform: async (
      config: MigrationConfig,
      name: string,
      formers: Formers = {},
    ): Promise<CompletedAct> => {
      const act = targetAct(name, input(config, formers));
      return await act.complete(await act.begin(signal), { signal, onProgress: () => {} });
    },
    undo: (config: MigrationConfig, deleteCreated: boolean, formers: Formers = {}) =>
      undoTarget({ config, clients, formers, deleteCreated }, { signal }),
    /** What the MySQL server itself says, asked by the administrator over verified TLS. */
    variables: async (config: MigrationConfig, host: string, names: readonly string[]) => {
      await using connection = await openConnection(endpoint(config, host), { signal });
      const rows = await connection.query<{ Variable_name: string; Value: string }>(
        `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map(() => '?').join(', ')})`,
        names,
      );
      return Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]));
    },
    endpoint,
    /** How often an operation was carried out: neither refused nor only asked about. */
    count: async (operation: string) =>
      (await clouds.requests()).filter(
        (request) => request.operation === operation && (request.status ?? 0) < 400,
      ).length,
  };
}
