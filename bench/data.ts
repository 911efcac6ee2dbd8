import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Connection } from '../src/mysql/connection.ts';
import type { BenchServer } from './servers.ts';
import { runStreams } from './servers.ts';

export const SCHEMA = 'bench';
export const TABLES = ['entry_1', 'entry_2', 'entry_3', 'entry_4'] as const;
export const COLUMNS = ['id', 'account', 'amount', 'booked_at', 'reference', 'note'] as const;
const INDEX = 'ADD KEY account (account)';

const body = `(
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  account INT UNSIGNED NOT NULL,
  amount DECIMAL(18,4) NOT NULL,
  booked_at DATETIME(6) NOT NULL,
  reference CHAR(36) CHARACTER SET ascii NOT NULL,
  note VARCHAR(200) NULL,
  PRIMARY KEY (id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci`;

export async function createBareTables(connection: Connection): Promise<void> {
  await connection.query(`CREATE DATABASE ${SCHEMA}`);
  for (const table of TABLES) await connection.query(`CREATE TABLE ${SCHEMA}.${table} ${body}`);
}

/** The statements that load `table` from the server's own disk and then build its index. */
export function loadFromFile(table: string, folder: string): string[] {
  return [
    `LOAD DATA INFILE '${tableFile(folder, table)}' INTO TABLE ${SCHEMA}.${table} CHARACTER SET binary`,
    `ALTER TABLE ${SCHEMA}.${table} ${INDEX}`,
  ];
}

/** Brings a server to the generated rows, out of the binlog. */
export async function restoreRows(
  server: BenchServer,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await server.admin.query(`DROP DATABASE IF EXISTS ${SCHEMA}`);
  await createBareTables(server.admin);
  const streams = TABLES.map((table) => [
    'SET SESSION sql_log_bin = 0',
    ...loadFromFile(table, folder),
    `ANALYZE TABLE ${SCHEMA}.${table}`,
  ]);
  await runStreams(server.endpoint, streams, signal);
}

export function tableFile(folder: string, table: string): string {
  return join(folder, `${table}.tsv`);
}

/** Writes the rows of every table as text; always the same ones for the same number. Returns bytes. */
export async function writeTableFiles(folder: string, rows: number): Promise<number> {
  let bytes = 0;
  for (const [index, table] of TABLES.entries()) {
    const random = randomNumbers(index + 1);
    const out = createWriteStream(tableFile(folder, table), { highWaterMark: 1 << 20 });
    let text = '';
    for (let id = 1; id <= rows; id++) {
      text += line(id, rows, random);
      if (text.length < 1 << 18 && id < rows) continue;
      bytes += text.length;
      if (!out.write(text, 'latin1')) await once(out, 'drain');
      text = '';
    }
    out.end();
    await finished(out);
  }
  return bytes;
}

const words = 'order trade fee interest dividend transfer reversal settlement margin tax'.split(
  ' ',
);

function line(id: number, rows: number, random: () => number): string {
  const account = Math.floor(random() * rows);
  const amount = (random() * 2e6 - 1e6).toFixed(4);
  const seconds = Math.floor(random() * 86_400);
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((n) => pad(n, 2)).join(':');
  const day = `2025-${pad(1 + random() * 12, 2)}-${pad(1 + random() * 28, 2)}`;
  const hex = () => pad(random() * 2 ** 32, 8, 16);
  const reference = `${hex()}-${hex().slice(4)}-${hex().slice(4)}-${hex().slice(4)}-${hex()}${hex().slice(4)}`;
  const length = 8 + Math.floor(random() * 12);
  const note =
    random() < 0.1
      ? '\\N'
      : Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(' ');
  return `${id}\t${account}\t${amount}\t${day} ${time}.${pad(random() * 1e6, 6)}\t${reference}\t${note}\n`;
}

function pad(value: number, digits: number, radix = 10): string {
  return Math.floor(value).toString(radix).padStart(digits, '0');
}

/** Mulberry32: from 0 to below 1. */
function randomNumbers(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fails when the target's rows are not the source's: who does less than the work is not measured. */
export async function expectSameRows(source: Connection, target: Connection): Promise<void> {
  const tables = TABLES.map((table) => `${SCHEMA}.${table}`).join(', ');
  const [left, right] = await Promise.all(
    [source, target].map((side) => side.query(`CHECKSUM TABLE ${tables}`)),
  );
  const text = JSON.stringify(left);
  if (text !== JSON.stringify(right) || text.includes('null')) {
    throw new Error(`the target does not hold the source's rows: ${text}`);
  }
  const [keys] = await target.query(
    `SELECT COUNT(DISTINCT table_name) AS indexed FROM information_schema.statistics
     WHERE table_schema = ? AND index_name = 'account'`,
    [SCHEMA],
  );
  if (Number(keys?.['indexed']) !== TABLES.length) throw new Error('an index is missing');
}
