import { owner } from './definers.ts';
import type { SchemaDefinition } from './schema-definition.ts';

export const scheduler: SchemaDefinition = {
  name: 'scheduler',
  create: 'CREATE DATABASE scheduler DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
  tables: [
    `CREATE TABLE job (
      name VARCHAR(80) NOT NULL,
      symbol VARCHAR(48) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NULL,
      every TIME(3) NOT NULL,
      plan JSON NULL,
      enabled BIT(1) NOT NULL DEFAULT b'1',
      PRIMARY KEY (name),
      CONSTRAINT job_instrument FOREIGN KEY (symbol) REFERENCES brokerage.instrument (symbol) ON DELETE SET NULL ON UPDATE CASCADE
    ) ENGINE=InnoDB COMMENT='a key that ignores case; follows a key of another schema'`,
    `CREATE TABLE job_run (
      job_name VARCHAR(80) NOT NULL,
      run_no INT UNSIGNED NOT NULL,
      started_at TIMESTAMP(6) NOT NULL,
      outcome ENUM('ok','failed','skipped') NOT NULL,
      PRIMARY KEY (job_name, run_no),
      CONSTRAINT job_run_job FOREIGN KEY (job_name) REFERENCES job (name) ON DELETE CASCADE ON UPDATE CASCADE
    ) ENGINE=InnoDB`,
    `CREATE TABLE job_run_line (
      job_name VARCHAR(80) NOT NULL,
      run_no INT UNSIGNED NOT NULL,
      line_no SMALLINT UNSIGNED NOT NULL,
      message VARCHAR(200) NOT NULL,
      PRIMARY KEY (job_name, run_no, line_no),
      CONSTRAINT job_run_line_run FOREIGN KEY (job_name, run_no) REFERENCES job_run (job_name, run_no) ON DELETE CASCADE ON UPDATE CASCADE
    ) ENGINE=InnoDB COMMENT='renaming a job cascades over two levels'`,
    `CREATE TABLE pulse (
      id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
      source VARCHAR(60) CHARACTER SET ascii NOT NULL,
      beat DOUBLE NOT NULL,
      KEY pulse_id (id)
    ) ENGINE=InnoDB COMMENT='AUTO_INCREMENT without a primary or unique key'`,
    `CREATE TABLE event_tick (
      id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
      ticked_at DATETIME(6) NOT NULL,
      PRIMARY KEY (id)
    ) ENGINE=InnoDB COMMENT='written by an event alone'`,
  ],
  routines: [
    `CREATE DEFINER=${owner} PROCEDURE rename_job(IN p_from VARCHAR(80), IN p_to VARCHAR(80))
      MODIFIES SQL DATA
      UPDATE job SET name = p_to WHERE name = p_from`,
  ],
  views: [
    `CREATE DEFINER=${owner} SQL SECURITY INVOKER VIEW last_run AS
      SELECT job_name, MAX(run_no) AS run_no FROM job_run GROUP BY job_name`,
    `CREATE DEFINER=${owner} SQL SECURITY INVOKER VIEW last_outcome AS
      SELECT r.job_name, r.run_no, r.outcome FROM last_run l JOIN job_run r ON r.job_name = l.job_name AND r.run_no = l.run_no`,
  ],
  triggers: [],
  events: [
    `CREATE DEFINER=${owner} EVENT tick ON SCHEDULE EVERY 5 SECOND ON COMPLETION PRESERVE ENABLE
      DO INSERT INTO event_tick (ticked_at) VALUES (NOW(6))`,
    `CREATE DEFINER=${owner} EVENT \`weekly clean-up\` ON SCHEDULE EVERY 1 WEEK STARTS '2030-01-06 03:00:00'
      ON COMPLETION PRESERVE DISABLE
      DO DELETE FROM event_tick WHERE ticked_at < NOW() - INTERVAL 7 DAY`,
  ],
};
