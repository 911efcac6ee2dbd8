/** Names and definitions chosen to mislead whoever reads SQL carelessly. Schemas: `hostileSchemas`. */
export const hostileSchemas = ['Trade', 'we`ird.db \'"', 'legacy'] as const;

const W = '`we``ird.db \'"`';
const LONG = 'L'.repeat(64);

export const hostileSchema: readonly string[] = [
  "SET SESSION sql_mode = '', time_zone = '+00:00', foreign_key_checks = 0, restrict_fk_on_non_standard_key = 0",
  'CREATE DATABASE `Trade` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci',
  `CREATE DATABASE ${W} CHARACTER SET latin1`,
  'CREATE DATABASE legacy CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci',
  'USE `Trade`',
  `CREATE TABLE Account (
     id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
     code varchar(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
     note varchar(40) DEFAULT 'x),(''y\\\\ KEY \`z\` (' COMMENT 'CONSTRAINT \`x\` FOREIGN KEY (\`id\`), KEY',
     day date NOT NULL DEFAULT '0000-00-00',
     seen timestamp(3) NOT NULL DEFAULT '2020-01-01 00:00:00.000',
     kind enum('a,)', 'b''c unsigned', '') DEFAULT 'a,)',
     raw binary(4) DEFAULT 'ab',
     price decimal(30,10) DEFAULT (1 + 2 * (3)),
     flags bit(3) DEFAULT b'101',
     doc json,
     shown int GENERATED ALWAYS AS (length(concat(code, ')'))) STORED,
     hidden int INVISIBLE DEFAULT 7,
     KEY lower_code ((lower(code))),
     UNIQUE KEY twice ((hidden * 2), code),
     KEY members ((CAST(doc->'$.members' AS unsigned ARRAY))),
     KEY seen_desc (seen DESC, note(10)) INVISIBLE COMMENT 'UNIQUE KEY',
     CONSTRAINT \`chk ( ,\` CHECK (note <> '),(' OR hidden > 0) NOT ENFORCED
   ) AUTO_INCREMENT=1000 COMMENT='AUTO_INCREMENT=7\\n) ENGINE=MyISAM'`,
  `CREATE TABLE Position (
     account_id bigint unsigned NOT NULL, symbol varchar(12) NOT NULL, qty int,
     PRIMARY KEY (symbol, account_id),
     UNIQUE KEY account_symbol (account_id, symbol, qty),
     CONSTRAINT position_account FOREIGN KEY (account_id) REFERENCES Account (id) ON DELETE CASCADE ON UPDATE CASCADE
   )`,
  `CREATE TABLE ${LONG} (
     n int NOT NULL AUTO_INCREMENT, grp int NOT NULL, parent int, grand int,
     PRIMARY KEY (grp, n), UNIQUE KEY (n), KEY tree (parent, grand),
     CONSTRAINT self FOREIGN KEY (parent, grand) REFERENCES ${LONG} (grp, n) ON DELETE SET NULL
   ) AUTO_INCREMENT=5`,
  `CREATE TABLE NoKey (a int, b varchar(10), KEY by_a (a))`,
  `CREATE TABLE counted (n bigint unsigned NOT NULL AUTO_INCREMENT, v text, KEY (n), FULLTEXT KEY words (v) WITH PARSER ngram, FULLTEXT KEY \`more words\` (v))`,
  `CREATE TABLE places (id int PRIMARY KEY, g geometry NOT NULL SRID 4326, SPATIAL KEY (g), h point NOT NULL SRID 0, SPATIAL KEY h (h))`,
  `CREATE TABLE fills (id int, d date, PRIMARY KEY (id, d), KEY (d))
     PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
     (PARTITION p0 VALUES LESS THAN (2020) COMMENT = 'x*/y', PARTITION p1 VALUES LESS THAN MAXVALUE)`,
  `CREATE TABLE lists (c varchar(5) CHARACTER SET latin1) PARTITION BY LIST COLUMNS (c) (PARTITION a VALUES IN ('*/', '),('), PARTITION b VALUES IN (NULL))`,
  `USE ${W}`,
  `CREATE TABLE \`a.b\`\`),(\` (
     \`i,d\` int NOT NULL, \`account\`\`\` bigint unsigned, \`KEY\` varchar(3) COLLATE latin1_german2_ci,
     UNIQUE KEY \`not null key\` (\`i,d\`), KEY \`KEY\` (\`KEY\`), KEY \`fk, (\` (\`account\`\`\`),
     CONSTRAINT \`fk,(\` FOREIGN KEY (\`account\`\`\`) REFERENCES \`Trade\`.Account (id) ON DELETE SET NULL
   ) ROW_FORMAT=DYNAMIC`,
  'USE legacy',
  `CREATE TABLE plain (
     small tinyint(1) DEFAULT '0', y year, z int(5) unsigned zerofill, s set('x','y)'), f float, d double,
     t text, v varbinary(5), c char(3) CHARACTER SET utf16, PRIMARY KEY (z), KEY (small)
   ) COMMENT 'ümläut'`,
  `CREATE TABLE child (id int PRIMARY KEY, z int, small tinyint(1), KEY nonunique (small), KEY z (z), CONSTRAINT to_plain FOREIGN KEY (small) REFERENCES plain (small))`,
];

export const hostilePrograms: readonly string[] = [
  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES'",
  'USE `Trade`',
  // In the order of their names each needs one that comes later.
  'CREATE VIEW c_base AS SELECT id, code FROM Account',
  'CREATE FUNCTION Doubled(n int) RETURNS int DETERMINISTIC RETURN n * 2',
  "CREATE VIEW b_middle AS SELECT id, code, Doubled(id) AS twice, 'ü),(' AS lit FROM c_base",
  'CREATE SQL SECURITY INVOKER VIEW a_top AS SELECT m.* FROM b_middle m JOIN Account a USING (id)',
  'CREATE TABLE doomed (x int)',
  'CREATE VIEW broken AS SELECT x FROM doomed',
  'DROP TABLE doomed',
  "CREATE DEFINER='gone'@'10.%' VIEW orphaned AS SELECT 1 AS one",
  'CREATE TRIGGER second BEFORE INSERT ON Account FOR EACH ROW SET NEW.hidden = 2',
  "CREATE DEFINER='gone'@'10.%' TRIGGER first BEFORE INSERT ON Account FOR EACH ROW PRECEDES second SET NEW.hidden = 1",
  "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 03:00:00' ENABLE COMMENT 'DO DISABLE' DO INSERT INTO NoKey VALUES (1, 'x')",
  "CREATE EVENT paused ON SCHEDULE EVERY 1 HOUR STARTS '2020-01-01 03:00:00' DISABLE DO SELECT 1",
  "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', collation_connection = 'latin1_swedish_ci', character_set_client = 'latin1'",
  `CREATE PROCEDURE "q""p"(IN "DEFINER" varchar(10)) SQL SECURITY INVOKER COMMENT 'it''s' BEGIN SELECT "DEFINER" || 'x' AS "a;b"; END`,
  "SET NAMES utf8mb4, SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
  "CREATE PROCEDURE ümläut() SELECT 'ü\\' AS s",
  // Its strings keep the collation that the schema had before.
  'USE legacy',
  'CREATE FUNCTION former(s varchar(10)) RETURNS varchar(10) NO SQL RETURN s',
  'ALTER DATABASE legacy CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
];

/** What a flexible server's administrator has at most; no right to set definers. */
export const cloudAdmin = (password: string): readonly string[] => [
  `CREATE USER cloud_admin IDENTIFIED BY '${password}'`,
  `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW, TRIGGER,
         EVENT, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, REPLICATION_APPLIER, ROLE_ADMIN, SESSION_VARIABLES_ADMIN,
         SHOW_ROUTINE, XA_RECOVER_ADMIN ON *.* TO cloud_admin`,
];

export const readerGrants = (password: string): readonly string[] => [
  `CREATE USER reader IDENTIFIED BY '${password}'`,
  'GRANT SHOW_ROUTINE ON *.* TO reader',
  ...['`Trade`', W, 'legacy'].map(
    (schema) => `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON ${schema}.* TO reader`,
  ),
];
