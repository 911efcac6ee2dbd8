/**
 * The checkpoint's tables, in a schema of their own on the target, outside every comparison. Names are
 * lower case, so that every `lower_case_table_names` spells them alike.
 */
export const CHECKPOINT_SCHEMA = 'skyferry';

export const checkpointTables = [
  `CREATE TABLE IF NOT EXISTS skyferry.migration (
    name            varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    config_hash     char(64)     CHARACTER SET ascii NOT NULL,
    plan_hash       char(64)     CHARACTER SET ascii NULL,
    workflow_run    varchar(64)  CHARACTER SET ascii NOT NULL,
    state           enum('active','switched','completed') NOT NULL DEFAULT 'active',
    epoch           bigint unsigned NOT NULL DEFAULT 0,
    source_uuid     char(36)     CHARACTER SET ascii NOT NULL,
    catalog_hash    char(64)     CHARACTER SET ascii NULL,
    gtid_set        longtext     CHARACTER SET ascii NULL COMMENT 'position: everything in it is applied',
    binlog_file     varchar(512) CHARACTER SET ascii NULL,
    binlog_offset   bigint unsigned NULL,
    high_file       varchar(512) CHARACTER SET ascii NULL COMMENT 'highest watermark of a copied chunk',
    high_offset     bigint unsigned NULL,
    source_time     datetime(6)  NULL COMMENT 'UTC; up to this source time everything is applied',
    lag_ms          bigint       NULL,
    transactions    bigint unsigned NOT NULL DEFAULT 0,
    row_changes     bigint unsigned NOT NULL DEFAULT 0,
    remembered      json         NULL COMMENT 'former values to be put back: retention, fence variables',
    created_at      datetime(6)  NOT NULL,
    updated_at      datetime(6)  NOT NULL
  ) ENGINE=InnoDB CHARACTER SET utf8mb4`,
  `CREATE TABLE IF NOT EXISTS skyferry.copied_table (
    migration       varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    schema_name     varchar(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    table_name      varchar(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    chunks          int unsigned NULL COMMENT 'null: not cut yet',
    start_file      varchar(512) CHARACTER SET ascii NULL COMMENT 'table without a key: its exact snapshot',
    start_offset    bigint unsigned NULL,
    PRIMARY KEY (migration, schema_name, table_name)
  ) ENGINE=InnoDB CHARACTER SET utf8mb4`,
  `CREATE TABLE IF NOT EXISTS skyferry.copied_chunk (
    migration       varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    schema_name     varchar(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    table_name      varchar(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    chunk           int unsigned NOT NULL,
    bounds          json         NOT NULL COMMENT 'SQL literals of the lower and upper bound, as cut',
    done            tinyint(1)   NOT NULL DEFAULT 0,
    row_count       bigint unsigned NOT NULL DEFAULT 0,
    byte_count      bigint unsigned NOT NULL DEFAULT 0,
    PRIMARY KEY (migration, schema_name, table_name, chunk)
  ) ENGINE=InnoDB CHARACTER SET utf8mb4`,
] as const;
