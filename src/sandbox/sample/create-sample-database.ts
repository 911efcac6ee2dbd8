import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { quoteIdentifier } from '../../mysql/identifier.ts';
import { createSampleDefiners } from './accounts.ts';
import type { SchemaDefinition } from './definitions/schema-definition.ts';
import { definitions } from './schemas.ts';
import { seedBatch, seedScheduler } from './seed/batch.ts';
import { seedCustomers } from './seed/customers.ts';
import type { SeedOptions, SeedProgress } from './seed/seeder.ts';
import { Seeder } from './seed/seeder.ts';
import { sizesOf } from './seed/sizes.ts';
import { seedSpecialTypes } from './seed/special-types.ts';
import { seedInstruments, seedOrders, seedPapers } from './seed/trading.ts';

export interface SampleOptions {
  /** 1 is about 80,000 rows; rows grow with it. */
  readonly scale: number;
  /** The same seed and scale give the same rows. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** After each table that was filled. */
  readonly onProgress: (progress: SeedProgress) => void;
}

export interface SampleSummary {
  readonly tables: number;
  readonly rows: number;
  readonly seconds: number;
}

/**
 * Drops and creates the sample's schemas, rows first, then what would fire on them. `admin` has to
 * be like root: it makes objects whose definers are privileged or missing.
 */
export async function createSampleDatabase(
  admin: Endpoint,
  { scale, seed, signal, onProgress }: SampleOptions,
): Promise<SampleSummary> {
  const sizes = sizesOf(scale);
  const started = performance.now();
  let rows = 0;
  const options: SeedOptions = {
    signal,
    onProgress: (progress) => {
      rows += progress.rows;
      onProgress(progress);
    },
  };
  const session = [
    "SET time_zone = '+00:00', NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci",
    `SET sql_mode = '${lenientMode}'`,
  ];
  await createSampleDefiners(admin);
  await withConnection(admin, { signal, session }, async (connection) => {
    const seeder = new Seeder(connection, sizes, seed, options);
    await createTables(connection);
    await connection.execute(`SET sql_mode = '${strictMode}'`);
    await seedCustomers(seeder);
    await seedInstruments(seeder);
    await seedOrders(seeder);
    await seedPapers(seeder);
    await seedBatch(seeder);
    await seedScheduler(seeder);
    await connection.execute(`SET sql_mode = '${lenientMode}'`);
    await seedSpecialTypes(seeder);
    await connection.execute(`SET sql_mode = '${strictMode}'`);
    for (const kind of ['routines', 'views', 'triggers', 'events'] as const) {
      await createObjects(connection, kind);
    }
  });
  const tables = definitions.reduce((sum, { tables: list }) => sum + list.length, 0);
  return { tables, rows, seconds: (performance.now() - started) / 1000 };
}

const strictMode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'; // prettier-ignore
/** Lets zero dates in, also as a default. */
const lenientMode = 'NO_ENGINE_SUBSTITUTION';

async function createTables(connection: Connection): Promise<void> {
  await connection.execute('SET foreign_key_checks = 0');
  for (const { name } of definitions) {
    await connection.execute(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
  }
  await connection.execute('SET foreign_key_checks = 1');
  for (const definition of definitions) {
    await connection.execute(definition.create);
    await connection.execute(`USE ${quoteIdentifier(definition.name)}`);
    for (const statement of definition.tables) await connection.execute(statement);
  }
}

async function createObjects(
  connection: Connection,
  kind: 'routines' | 'views' | 'triggers' | 'events',
): Promise<void> {
  for (const definition of definitions as readonly SchemaDefinition[]) {
    await connection.execute(`USE ${quoteIdentifier(definition.name)}`);
    for (const statement of definition[kind]) await connection.execute(statement);
  }
}
