import { isFailure } from '../../src/failures.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';

/** Every way in which rows of these tables can change, cascades and wandering keys included. */
export const workloadSchemas = ['Ledger', 'side'];
export const workloadTables = [
  `CREATE TABLE parent (
     id int NOT NULL PRIMARY KEY, code varchar(20) COLLATE utf8mb4_0900_ai_ci NOT NULL UNIQUE,
     grp int, doc json, KEY (grp))`,
  `CREATE TABLE Child (
     id int NOT NULL PRIMARY KEY, parent_id int, v decimal(10,2), b bit(5),
     at timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
     FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE grand (
     id int NOT NULL PRIMARY KEY, child_id int, note varchar(40),
     FOREIGN KEY (child_id) REFERENCES Child (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE loose (
     id int NOT NULL PRIMARY KEY, parent_id int, child_id int,
     at datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
     FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE SET NULL,
     FOREIGN KEY (child_id) REFERENCES Child (id) ON DELETE SET NULL ON UPDATE CASCADE)`,
  `CREATE TABLE side.crossing (
     id int NOT NULL, code varchar(20) COLLATE utf8mb4_0900_ai_ci NOT NULL, n int, PRIMARY KEY (code, id),
     FOREIGN KEY (code) REFERENCES Ledger.parent (code) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE tree (
     id int NOT NULL PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE)`,
  `CREATE TABLE folded (name varchar(10) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, v int)`,
  `CREATE TABLE twice (
     id bigint unsigned NOT NULL PRIMARY KEY, u int UNIQUE, s varchar(10) UNIQUE,
     doubled int AS (u * 2), hidden int INVISIBLE, KEY ((u + 1)))`,
  `CREATE TABLE pairs (a varchar(5) NOT NULL, b varbinary(4) NOT NULL, v double, UNIQUE KEY (a, b))`,
  `CREATE TABLE heap (a int, b varchar(10), c float)`,
  `CREATE TABLE heap_child (parent_id int, n int,
     FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
];

/** Seeded, so that a failure can be repeated. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function statement(pick: (below: number) => number): string {
  const id = () => pick(60);
  const orNull = (value: number) => (pick(5) === 0 ? 'NULL' : String(value));
  const letters = () => ['ab', 'AB', 'Ab', 'cd', 'Cd', 'x', 'X', 'ef '][pick(8)] ?? 'z';
  const choices = [
    () => `INSERT INTO parent VALUES (${id()}, 'c${id()}', ${pick(9)}, '{"n": ${id()}}')`,
    () => `REPLACE INTO parent VALUES (${id()}, 'C${id()}', ${pick(9)}, NULL)`,
    () => `UPDATE parent SET grp = grp + 1 WHERE grp = ${pick(9)}`,
    () => `UPDATE parent SET id = ${id()} WHERE id = ${id()}`,
    () => `UPDATE parent SET code = UPPER(code) WHERE id = ${id()}`,
    () => `UPDATE parent SET code = 'c${id()}', id = ${id()} WHERE id = ${id()}`,
    () => `DELETE FROM parent WHERE id = ${id()}`,
    () => `DELETE FROM parent WHERE grp = ${pick(40)}`,
    () =>
      `INSERT INTO Child (id, parent_id, v, b) VALUES (${id()}, ${orNull(id())}, ${id()}, b'101')`,
    () =>
      `INSERT INTO Child (id, parent_id) VALUES (${id()}, ${id()}) ON DUPLICATE KEY UPDATE v = v + 1`,
    () => `UPDATE Child SET id = ${id()} WHERE id = ${id()}`,
    () => `DELETE FROM Child WHERE id = ${id()}`,
    () => `INSERT INTO grand VALUES (${id()}, ${orNull(id())}, 'n${id()}')`,
    () => `UPDATE grand SET child_id = ${orNull(id())} WHERE id = ${id()}`,
    () => `INSERT INTO loose (id, parent_id, child_id) VALUES (${id()}, ${id()}, ${orNull(id())})`,
    () => `DELETE FROM loose WHERE id = ${id()}`,
    () => `INSERT INTO side.crossing VALUES (${id()}, 'c${id()}', 1)`,
    () => `UPDATE side.crossing SET n = n + 1 WHERE id = ${id()}`,
    () => `INSERT INTO tree VALUES (${id()}, ${orNull(id())})`,
    () => `UPDATE tree SET up = ${orNull(id())} WHERE id = ${id()}`,
    () => `DELETE FROM tree WHERE id IN (${id()}, ${id()})`,
    () => `INSERT INTO folded VALUES ('${letters()}', ${id()})`,
    () => `UPDATE folded SET name = '${letters()}' WHERE name = '${letters()}'`,
    () => `REPLACE INTO folded VALUES ('${letters()}', ${id()})`,
    () => `DELETE FROM folded WHERE name = '${letters()}'`,
    () =>
      `INSERT INTO twice (id, u, s) VALUES (18446744073709551615 - ${id()}, ${orNull(id())}, '${id()}')`,
    () => `UPDATE twice SET u = u + 100 WHERE u < 30 ORDER BY u DESC`,
    () => `UPDATE twice SET u = u - 100 WHERE u >= 100 ORDER BY u`,
    () => `REPLACE INTO twice (id, u, s) VALUES (${id()}, ${id()}, '${id()}')`,
    () => `DELETE FROM twice WHERE u = ${id()}`,
    () => `REPLACE INTO pairs VALUES ('${letters()}', x'0${pick(9)}', ${pick(9)} / 7)`,
    () => `UPDATE pairs SET b = x'0${pick(9)}' WHERE a = '${letters()}' LIMIT 1`,
    () => `INSERT INTO heap VALUES (${pick(5)}, 'h', 0.1), (${pick(5)}, 'h', 0.1)`,
    () => `UPDATE heap SET b = '${letters()}' WHERE a = ${pick(5)} ORDER BY b LIMIT 3`,
    () => `DELETE FROM heap WHERE a = ${pick(5)} ORDER BY b LIMIT 2`,
    () => `INSERT INTO heap_child VALUES (${id()}, 1), (${id()}, 2)`,
    () => `UPDATE heap_child SET n = n + 1 LIMIT 2`,
  ];
  return choices[pick(choices.length)]?.() ?? 'DO 0';
}

/** Swaps two values of a unique column between rows: only possible by way of a third. */
const swap = (a: number, b: number) => [
  `UPDATE twice SET s = 'tmp' WHERE s = '${a}'`,
  `UPDATE twice SET s = '${a}' WHERE s = '${b}'`,
  `UPDATE twice SET s = '${b}' WHERE s = 'tmp'`,
];

/** Runs random transactions one after the other; those that the source refuses are part of it. */
export async function writeRandomly(
  source: Endpoint,
  seed: number,
  transactions: number,
  paused?: () => Promise<void>,
): Promise<void> {
  const pick = randomNumbers(seed);
  await using c = await openConnection(source, { database: workloadSchemas[0] ?? '' });
  await c.query('SET SESSION innodb_lock_wait_timeout = 2');
  const attempt = async (sql: string) => {
    await c.query(sql).catch((error: unknown) => {
      if (!isFailure(error) || error.code === 'CONNECTION_LOST') throw error;
    });
  };
  for (let i = 0; i < transactions; i++) {
    await c.query('BEGIN');
    const statements = pick(8) === 0 ? swap(pick(60), pick(60)) : [];
    for (let n = pick(6); n >= 0; n--) statements.push(statement(pick));
    const savepoint = pick(5) === 0;
    for (const sql of statements) {
      if (savepoint && pick(3) === 0) await c.query('SAVEPOINT s');
      await attempt(sql);
    }
    if (savepoint) await attempt('ROLLBACK TO SAVEPOINT s');
    await c.query(pick(7) === 0 ? 'ROLLBACK' : 'COMMIT');
    await paused?.();
  }
}
