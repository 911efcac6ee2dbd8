import { owner, privileged } from './definers.ts';
import type { SchemaDefinition } from './schema-definition.ts';

const setMembers = Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(',');

export const batch: SchemaDefinition = {
  name: 'batch',
  create: 'CREATE DATABASE batch DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
  tables: [
    `CREATE TABLE run (
      id INT NOT NULL AUTO_INCREMENT,
      label VARCHAR(80) NOT NULL,
      started_at DATETIME(6) NOT NULL,
      took TIME(3) NULL,
      fiscal_year YEAR NOT NULL,
      exit_code SMALLINT NULL,
      PRIMARY KEY (id)
    ) ENGINE=InnoDB`,
    `CREATE TABLE run_step (
      run_id INT NOT NULL,
      step_no SMALLINT NOT NULL,
      \`group\` VARCHAR(40) NOT NULL,
      \`rows\` BIGINT NOT NULL DEFAULT 0,
      ratio DOUBLE NULL,
      log TEXT NULL,
      PRIMARY KEY (run_id, step_no),
      CONSTRAINT step_run FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE CASCADE ON UPDATE CASCADE
    ) ENGINE=InnoDB COMMENT='columns that are reserved words'`,
    `CREATE TABLE settlement_item (
      id BIGINT NOT NULL AUTO_INCREMENT,
      order_id BIGINT UNSIGNED NOT NULL,
      run_id INT NULL,
      amount DECIMAL(30,10) NOT NULL,
      settled BIT(1) NOT NULL DEFAULT b'0',
      PRIMARY KEY (id),
      UNIQUE KEY settlement_order_run (order_id, run_id),
      CONSTRAINT settlement_order FOREIGN KEY (order_id) REFERENCES brokerage.\`order\` (id) ON DELETE CASCADE,
      CONSTRAINT settlement_run FOREIGN KEY (run_id) REFERENCES run (id) ON DELETE SET NULL
    ) ENGINE=InnoDB COMMENT='cascades from another schema'`,
    `CREATE TABLE every_type (
      id INT NOT NULL,
      a_tinyint TINYINT NULL, a_utinyint TINYINT UNSIGNED NULL,
      a_smallint SMALLINT NULL, a_mediumint MEDIUMINT NULL, a_umediumint MEDIUMINT UNSIGNED NULL,
      a_int INT NULL, a_uint INT UNSIGNED NULL, a_bigint BIGINT NULL, a_ubigint BIGINT UNSIGNED NULL,
      a_decimal DECIMAL(30,10) NULL, a_wide_decimal DECIMAL(65,30) NULL,
      a_float FLOAT NULL, a_double DOUBLE NULL,
      a_bit BIT(1) NULL, a_bit17 BIT(17) NULL, a_bit64 BIT(64) NULL,
      a_date DATE NULL, a_datetime DATETIME NULL, a_datetime6 DATETIME(6) NULL,
      a_timestamp TIMESTAMP NULL, a_timestamp3 TIMESTAMP(3) NULL,
      a_time TIME NULL, a_time3 TIME(3) NULL, a_time6 TIME(6) NULL, a_year YEAR NULL,
      an_enum ENUM('low','middle','high','with ''quote''') NULL,
      a_set SET(${setMembers}) NULL,
      a_char CHAR(10) NULL, a_binary BINARY(16) NULL, a_varbinary VARBINARY(300) NULL,
      a_tinyblob TINYBLOB NULL, a_blob BLOB NULL, a_longblob LONGBLOB NULL,
      a_tinytext TINYTEXT NULL, a_longtext LONGTEXT NULL,
      a_json JSON NULL,
      hidden INT NULL INVISIBLE,
      total DECIMAL(31,10) AS (IFNULL(a_decimal, 0) + IFNULL(a_int, 0)) STORED,
      short_text VARCHAR(10) AS (LEFT(a_char, 3)) VIRTUAL,
      PRIMARY KEY (id)
    ) ENGINE=InnoDB`,
    `CREATE TABLE text_by_charset (
      code VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
      in_latin1 VARCHAR(100) CHARACTER SET latin1 NULL,
      in_utf8mb3 VARCHAR(100) CHARACTER SET utf8mb3 NULL,
      in_utf16 VARCHAR(100) CHARACTER SET utf16 NULL,
      in_gbk VARCHAR(100) CHARACTER SET gbk NULL,
      in_0900 VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NULL,
      in_0900_cs VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs NULL,
      in_general VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL,
      in_bin TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
      PRIMARY KEY (code)
    ) ENGINE=InnoDB COMMENT='code pads with spaces and ignores case'`,
    `CREATE TABLE branch (
      id INT NOT NULL,
      location POINT NOT NULL SRID 4326,
      area GEOMETRY NULL,
      PRIMARY KEY (id),
      SPATIAL KEY branch_location (location)
    ) ENGINE=InnoDB`,
    `CREATE TABLE \`odd\`\`name\` (
      \`k\`\`ey\` VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL,
      \`100%\` INT NULL,
      PRIMARY KEY (\`k\`\`ey\`)
    ) ENGINE=InnoDB COMMENT='backticks in the names; \\'quotes\\' in the comment'`,
    `CREATE TABLE legacy_account (
      id INT NOT NULL,
      opened_on DATE NOT NULL DEFAULT '0000-00-00',
      closed_at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
      reviewed_on DATE NULL,
      grade ENUM('A','B') NOT NULL,
      PRIMARY KEY (id)
    ) ENGINE=InnoDB DEFAULT CHARSET=latin1 COMMENT='zero dates and an empty enum: written without a strict sql_mode'`,
  ],
  routines: [
    `CREATE DEFINER=${owner} FUNCTION step_count(p_run INT) RETURNS INT READS SQL DATA
      RETURN (SELECT COUNT(*) FROM run_step WHERE run_id = p_run)`,
  ],
  views: [
    `CREATE DEFINER=${owner} SQL SECURITY INVOKER VIEW settlement_overview AS
      SELECT s.run_id, o.symbol, COUNT(*) AS items, SUM(s.amount) AS amount
      FROM settlement_item s JOIN brokerage.OpenOrder o ON o.id = s.order_id GROUP BY s.run_id, o.symbol`,
  ],
  triggers: [
    `CREATE DEFINER=${owner} TRIGGER run_step_rows BEFORE UPDATE ON run_step FOR EACH ROW
      SET NEW.\`rows\` = GREATEST(NEW.\`rows\`, OLD.\`rows\`)`,
  ],
  events: [
    `CREATE DEFINER=${privileged} EVENT \`nightly recompute\` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 02:00:00'
      ON COMPLETION PRESERVE DISABLE COMMENT 'its definer holds SYSTEM_USER'
      DO CALL brokerage.recompute_margins()`,
  ],
};
