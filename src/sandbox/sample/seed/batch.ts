import type { Random } from './random.ts';
import type { Seeder, SeedValue } from './seeder.ts';
import type { Sizes } from './sizes.ts';
import { symbolOf } from './trading.ts';

export async function seedBatch(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  await seeder.insert(
    ['batch', 'run'],
    ['id', 'label', 'started_at', 'took', 'fiscal_year', 'exit_code'],
    runs(sizes, seeder.random('run')),
  );
  await seeder.insert(
    ['batch', 'run_step'],
    ['run_id', 'step_no', 'group', 'rows', 'ratio', 'log'],
    steps(sizes, seeder.random('step')),
  );
  await seeder.insert(
    ['batch', 'settlement_item'],
    ['id', 'order_id', 'run_id', 'amount', 'settled'],
    settlements(sizes, seeder.random('settlement')),
  );
}

export async function seedScheduler(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  const random = seeder.random('scheduler');
  const numbers = Array.from({ length: sizes.jobs }, (_, i) => i);
  await seeder.insert(
    ['scheduler', 'job'],
    ['name', 'symbol', 'every', 'plan', 'enabled'],
    numbers.map((i) => [
      `Job ${i} ${random.pick(['nightly', 'Intraday', 'täglich'])}`,
      random.chance(0.3) ? null : symbolOf(random.integer(0, sizes.instruments - 1)),
      `${random.chance(0.2) ? '-' : ''}${random.integer(0, 23)}:15:00.250`,
      random.chance(0.3) ? null : `{"steps":[{"run":"load"},{"run":"settle","retries":${i}}]}`,
      { literal: "b'1'" },
    ]),
  );
  const jobNames = (await seeder.query('SELECT name FROM scheduler.job ORDER BY name')).map((row) =>
    String(row['name']),
  );
  await seeder.insert(
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
  );
  await seeder.insert(
    ['scheduler', 'job_run_line'],
    ['job_name', 'run_no', 'line_no', 'message'],
    jobNames.flatMap((name) =>
      range(10).flatMap((run) => range(2).map((line) => [name, run, line, random.words(4)])),
    ),
  );
  await seeder.insert(
    ['scheduler', 'pulse'],
    ['id', 'source', 'beat'],
    range(sizes.pulses).map((i) => [i, 'seed', random.integer(0, 1000) / 7]),
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
