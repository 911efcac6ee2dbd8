import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';

export const SCHEMA = 'shop';

/** As its parameter group would after its reboots. */
export async function prepareSource(superuser: Endpoint): Promise<void> {
  await withConnection(superuser, {}, async (connection) => {
    for (const setting of [
      'binlog_format = ROW',
      'binlog_row_image = FULL',
      'enforce_gtid_consistency = ON',
      'gtid_mode = OFF_PERMISSIVE',
      'gtid_mode = ON_PERMISSIVE',
      'gtid_mode = ON',
    ]) {
      await connection.query(`SET GLOBAL ${setting}`);
    }
  });
}

export async function fillShop(superuser: Endpoint): Promise<string> {
  await withConnection(superuser, {}, async (connection) => {
    await connection.query(`CREATE DATABASE ${SCHEMA}`);
    await connection.query(`USE ${SCHEMA}`);
    for (const statement of [
      'CREATE TABLE customer (id int PRIMARY KEY AUTO_INCREMENT, name varchar(60) NOT NULL)',
      'CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, customer int, total decimal(12,2), FOREIGN KEY (customer) REFERENCES customer (id))',
      "INSERT INTO customer (name) VALUES ('ann'), ('eve'), ('tom')",
      'INSERT INTO orders (customer, total) SELECT id, id * 1.25 FROM customer',
    ]) {
      await connection.query(statement);
    }
  });
  return 'a small shop';
}
