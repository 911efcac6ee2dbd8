import { SUPERUSER } from '../../../servers/azure-like-target.ts';

const definer = `'${SUPERUSER}'@'localhost'`;

function procedure(name: string, parameters: string, body: string): string {
  return `CREATE DEFINER=${definer} PROCEDURE mysql.${name}(${parameters})
    MODIFIES SQL DATA SQL SECURITY DEFINER
    BEGIN
      ${body}
    END`;
}

function run(sql: string): string {
  return `SET @az_statement = ${sql};
      PREPARE az_prepared FROM @az_statement;
      EXECUTE az_prepared;
      DEALLOCATE PREPARE az_prepared;
      SET @az_statement = NULL;`;
}

/** The authority comes as PEM text, the server wants a file; empty text means no TLS. */
const writeAuthority = `SET @az_tls = ', SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1';
      IF master_ssl_ca <> '' THEN
        SET @az_ca_file = CONCAT(@@datadir, 'az-ca-', UUID(), '.pem');
        SET @az_ca = master_ssl_ca;
        ${run("CONCAT('SELECT @az_ca INTO DUMPFILE ', QUOTE(@az_ca_file))")}
        SET @az_tls = CONCAT(', SOURCE_SSL = 1, SOURCE_SSL_CA = ', QUOTE(@az_ca_file));
      END IF;`;

const source = `'CHANGE REPLICATION SOURCE TO SOURCE_HOST = ', QUOTE(master_host), ', SOURCE_USER = ', QUOTE(master_user),
        ', SOURCE_PASSWORD = ', QUOTE(master_password), ', SOURCE_PORT = ', master_port`;

const login =
  'IN master_host varchar(255), IN master_user varchar(255), IN master_password varchar(255), IN master_port int';

/** Azure's procedures for Data-in replication, with its names of parameters. */
export const replicationProcedures: readonly string[] = [
  procedure(
    'az_replication_change_master',
    `${login}, IN master_log_file varchar(255), IN master_log_pos bigint, IN master_ssl_ca text`,
    `${writeAuthority}
      ${run(`CONCAT(${source}, ', SOURCE_LOG_FILE = ', QUOTE(master_log_file), ', SOURCE_LOG_POS = ', master_log_pos, ', SOURCE_AUTO_POSITION = 0', @az_tls)`)}`,
  ),
  procedure(
    'az_replication_change_master_with_gtid',
    `${login}, IN master_ssl_ca text`,
    `${writeAuthority}
      ${run(`CONCAT(${source}, ', SOURCE_AUTO_POSITION = 1', @az_tls)`)}`,
  ),
  procedure('az_replication_start', '', run("'START REPLICA'")),
  procedure('az_replication_stop', '', run("'STOP REPLICA'")),
  procedure('az_replication_remove_master', '', run("'RESET REPLICA ALL'")),
];
