import type { Connection } from '../../../mysql/connection.ts';
import type { SeedOptions, SeedValue } from './insert.ts';
import { insertRows } from './insert.ts';
import { Random } from './random.ts';
import type { Sizes } from './sizes.ts';
import { symbolOf } from './trading.ts';

export async function seedBatch(
  connection: Connection,
  sizes: Sizes,
  seed: number,
  options: SeedOptions,
): Promise<void> {
  await insertRows(
    connection,
    ['batch', 'run'],
    ['id', 'label', 'started_at', 'took', 'fiscal_year', 'exit_code'],
    runs(sizes, new Random(seed, 'run')),
    options,
  );
  await insertRows(
    connection,
    ['batch', 'run_step'],
    ['run_id', 'step_no', 'group', 'rows', 'ratio', 'log'],
    steps(sizes, new Random(seed, 'step')),
    options,
  );
  await insertRows(
    connection,
    ['batch', 'settlement_item'],
    ['id', 'order_id', 'run_id', 'amount', 'settled'],
    settlements(sizes, new Random(seed, 'settlement')),
    options,
  );
}

export async function seedScheduler(
  connection: Connection,
  sizes: Sizes,
  seed: number,
  options: SeedOptions,
): Promise<void> {
  const random = new Random(seed, 'scheduler');
  const numbers = Array.from({ length: sizes.jobs }, (_, i) => i);
  await insertRows(
    connection,
    ['scheduler', 'job'],
    ['name', 'symbol', 'every', 'plan', 'enabled'],
    numbers.map((i) => [
      `Job ${i} ${random.pick(['nightly', 'Intraday', 'täglich'])}`,
      random.chance(0.3) ? null : symbolOf(random.integer(0, sizes.instruments - 1)),
      `${random.chance(0.2) ? '-' : ''}${random.integer(0, 23)}:15:00.250`,
      random.chance(0.3) ? null : `{"steps":[{"run":"load"},{"run":"settle","retries":${i}}]}`,
      { literal: "b'1'" },
    ]),
    options,
  );
  const jobNames = (await connection.query('SELECT name FROM scheduler.job ORDER BY name')).map(
    (row) => String(row['name']),
  );
  await insertRows(
    connection,
    ['scheduler', 'job_run'],
    ['job_name', 'run_no', 'started_at', 'outcome'],
    jobNames.flatMap((name) =>
      range(10).map((run) => [
        name,
        run,
        random.moment(),
        random.pick(['ok', 'failed', 'skipped']),
      ]),
    ),
    options,
  );
  await insertRows(
    connection,
    ['scheduler', 'job_run_line'],
    ['job_name', 'run_no', 'line_no', 'message'],
    jobNames.flatMap((name) =>
      range(10).flatMap((run) => range(2).map((line) => [name, run, line, random.words(4)])),
    ),
    options,
  );
  await insertRows(
    connection,
    ['scheduler', 'pulse'],
    ['id', 'source', 'beat'],
    range(sizes.pulses).map((i) => [i, 'seed', random.integer(0, 1000) / 7]),
    options,
  );
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function* runs(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.runs; id += 1) {
    yield [
      id,
      random.words(2),
      random.moment(),
      random.chance(0.1) ? null : `${random.chance(0.3) ? '-' : ''}${random.integer(0, 838)}:00:00.${random.integer(100, 999)}`, // prettier-ignore
      random.pick([0, 1901, 2155, 2024]),
      random.chance(0.1) ? null : random.integer(-3, 3),
    ];
  }
}

function* steps(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let run = 1; run <= sizes.runs; run += 1) {
    for (let step = 1; step <= 5; step += 1) {
      yield [
        run,
        step,
        random.pick(['load', 'net', 'settle', 'report']),
        random.uint32(),
        random.chance(0.2) ? null : random.uint32() / 3,
        random.chance(0.5) ? null : random.words(12),
      ];
    }
  }
}

function* settlements(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.orders; id += 2) {
    yield [
      id,
      id,
      random.chance(0.2) ? null : random.integer(1, sizes.runs),
      random.decimal(8, 10),
      { literal: random.chance(0.5) ? "b'1'" : "b'0'" },
    ];
  }
}
