import { withConnection } from '../../src/mysql/connection.ts';
import type { FilePosition, Position } from '../../src/mysql/position.ts';
import type { Bench } from '../bench.ts';
import { COLUMNS, SCHEMA, TABLES } from '../data.ts';

/** What is to be caught up with, in the source's binlog. */
export interface Changes {
  readonly from: Position;
  readonly to: FilePosition;
  /** Every transaction up to the end. */
  readonly gtidSet: string;
}

const SESSIONS = 4;
/** Two updates, one insert, and a delete in three of four transactions. */
const CHANGES_PER_TRANSACTION = 3.75;
const PLAYGROUND = 'bench_changes';

/**
 * Small transactions over keys that are spread evenly: little to merge, so nothing is given away.
 * Each session has its own residue class of keys, so that none waits for another. Returns how many
 * rows were changed.
 */
export async function changeRows({ source, options, signal }: Bench): Promise<number> {
  const transactions = Math.ceil(options.changes / CHANGES_PER_TRANSACTION / SESSIONS);
  await source.admin.query(`DROP DATABASE IF EXISTS ${PLAYGROUND}`);
  await source.admin.query(`CREATE DATABASE ${PLAYGROUND}`);
  await source.admin.query(procedure(options.rows));
  const changed = await Promise.all(
    Array.from({ length: SESSIONS }, (_, session) =>
      withConnection(source.endpoint, { signal, session: settings(session) }, async (c) => {
        await c.query(`CALL ${PLAYGROUND}.play(?, ?, @changed)`, [session, transactions]);
        const [row] = await c.query('SELECT @changed AS changed');
        return Number(row?.['changed']);
      }),
    ),
  );
  return changed.reduce((sum, n) => sum + n, 0);
}

function settings(session: number): string[] {
  return [
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    `SET SESSION rand_seed1 = ${1000 + session}, rand_seed2 = ${2000 + session}`,
  ];
}

function procedure(rows: number): string {
  const key = `1 + ${SESSIONS} * FLOOR(RAND() * ${Math.floor(rows / SESSIONS)}) + own`;
  const columns = COLUMNS.slice(1).join(', ');
  const cases = TABLES.map((table, index) => {
    const [here, there] = [table, TABLES[(index + 1) % TABLES.length]].map((t) => `${SCHEMA}.${t}`);
    return `WHEN ${index} THEN
      SET k = ${key};
      UPDATE ${here} SET amount = amount + 1.25, booked_at = '2026-01-01' WHERE id = k;
      SET n = n + ROW_COUNT();
      SET k = ${key};
      UPDATE ${there} SET account = FLOOR(RAND() * ${rows}), note = 'moved' WHERE id = k;
      SET n = n + ROW_COUNT();
      INSERT INTO ${here} (${columns})
        VALUES (FLOOR(RAND() * ${rows}), 17.5, '2026-01-01', UUID(), 'a new one of its kind');
      SET n = n + ROW_COUNT();
      IF RAND() < 0.75 THEN
        SET k = ${key};
        DELETE FROM ${there} WHERE id = k;
        SET n = n + ROW_COUNT();
      END IF;`;
  });
  return `CREATE PROCEDURE ${PLAYGROUND}.play(own INT, transactions INT, OUT n INT)
  BEGIN
    DECLARE i INT DEFAULT 0;
    DECLARE k BIGINT UNSIGNED;
    SET n = 0;
    WHILE i < transactions DO
      START TRANSACTION;
      CASE FLOOR(RAND() * ${TABLES.length})
      ${cases.join('\n      ')}
      END CASE;
      COMMIT;
      SET i = i + 1;
    END WHILE;
  END`;
}
