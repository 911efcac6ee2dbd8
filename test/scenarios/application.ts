import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { isFailure } from '../../src/failures.ts';

export const SCHEMA = 'shop';
export const CUSTOMERS = 12_000;

/** One table of each kind that matters to repeats: a counter, a child that cascades, a string key, no key. */
export const definitions = [
  `CREATE TABLE customer (id int PRIMARY KEY AUTO_INCREMENT, name varchar(60) NOT NULL, note varchar(400),
     visits int NOT NULL DEFAULT 0, seen datetime(6), UNIQUE (name))`,
  `CREATE TABLE orders (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, customer int NOT NULL, total decimal(12,2),
     FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE)`,
  'CREATE TABLE token (k varchar(40) PRIMARY KEY, v varbinary(64) NOT NULL)',
  'CREATE TABLE journal (what varchar(20) NOT NULL, n int)',
  `INSERT INTO customer (name, note, seen)
     WITH RECURSIVE n AS (SELECT 0 i UNION ALL SELECT i + 1 FROM n WHERE i < ${CUSTOMERS / 100 - 1}),
       m AS (SELECT 0 i UNION ALL SELECT i + 1 FROM m WHERE i < 99)
     SELECT CONCAT('c ', n.i * 100 + m.i), REPEAT(CHAR(97 + m.i % 26), 100), NOW(6) FROM n JOIN m`,
  'INSERT INTO orders (customer, total) SELECT id, id * 1.25 FROM customer WHERE id % 3 = 0',
  "INSERT INTO token SELECT CONCAT('k', id), UNHEX(SHA2(id, 256)) FROM customer WHERE id <= 1000",
  "INSERT INTO journal SELECT 'opened', id % 11 FROM customer WHERE id <= 1000",
];

/** Customers that the application leaves alone, so that a test may lock them without stopping it. */
export const QUIET = { from: 8_001, to: 11_000 };

/** Plays the application on one connection, until it is stopped or its database refuses writes. */
export class Application {
  readonly #endpoint: Endpoint;
  #running = true;
  #transactions = 0;
  readonly #ended: Promise<void>;

  constructor(endpoint: Endpoint, transactions = 0) {
    this.#endpoint = endpoint;
    this.#transactions = transactions;
    this.#ended = this.#run();
  }

  get transactions(): number {
    return this.#transactions;
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  async #run(): Promise<void> {
    let connection: Connection | null = null;
    while (this.#running) {
      try {
        connection ??= await openConnection(this.#endpoint, { database: SCHEMA });
        await this.#transaction(connection, this.#transactions);
        this.#transactions += 1;
      } catch (error) {
        // Fenced, or its session was ended by the fence: as an application does, it tries again.
        if (!isFailure(error)) throw error;
        connection?.destroy();
        connection = null;
      }
      await sleep(8);
    }
    await connection?.close();
  }

  async #transaction(c: Connection, n: number): Promise<void> {
    const id = 1 + ((n * 37) % 7000);
    await c.query('BEGIN');
    await c.execute('UPDATE customer SET visits = visits + 1, seen = NOW(6) WHERE id = ?', [id]);
    await c.execute('INSERT INTO orders (customer, total) VALUES (?, ?)', [11_500 + (n % 300), n]);
    await c.execute("INSERT INTO journal VALUES ('written', ?), ('written', ?)", [n % 5, n % 5]);
    await c.execute("DELETE FROM journal WHERE what = 'opened' AND n = ? LIMIT 1", [n % 11]);
    await c.execute('UPDATE token SET k = CONCAT(k, ?) WHERE k = ?', ['+', `k${n % 1000}`]);
    await c.query(n % 10 === 9 ? 'ROLLBACK' : 'COMMIT');
    if (n % 15 === 0) await c.execute('DELETE FROM customer WHERE id = ?', [7000 + (n % 1000)]);
    if (n % 7 === 0) await c.execute('INSERT INTO customer (name) VALUES (UUID())');
  }
}
