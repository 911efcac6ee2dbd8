import { rowKey } from '../watched-tables.ts';
import type { Scope } from './scope.ts';

/** An instrument with what refers to its symbol, in two schemas. */
export async function listInstrument(scope: Scope): Promise<void> {
  const { random, shared } = scope;
  const symbol = `${scope.prefix}.${scope.seq}`;
  await scope.run(
    `INSERT INTO brokerage.instrument (symbol, name, kind, tick, listing_slot, flags, meta)
     VALUES (?, ?, ?, 0.01, ?, 'tradable,dark', ?)`,
    [symbol, random.words(2), random.pick(['share', 'bond']), freeSlot(scope), '{"sector":"it","lots":[1.0,18446744073709551615]}'], // prettier-ignore
  );
  scope.touch('instrument', symbol);
  for (let day = 1; day <= random.integer(1, 4); day += 1) {
    await upsertPrice(scope, symbol, `2025-01-0${day}`);
  }
  const customer = random.pick(shared.customers);
  await scope.run(
    `INSERT INTO brokerage.watchlist_item (customer_id, symbol, added_at) VALUES (${customer}, ?, NOW(6))`,
    [symbol],
  );
  scope.touch('watchlist', customer, symbol);
  await addJob(scope, symbol);
}

/** The key of a parent changes: prices, watchlists, orders and jobs follow. Sometimes in case alone. */
export async function renameInstrument(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const symbol = random.pick(own.keys('instrument'));
  await takeInstrument(scope, symbol);
  const renamed = random.chance(0.3)
    ? random.pick([symbol.toUpperCase(), symbol])
    : `${scope.prefix}.${scope.seq}`;
  for (const key of own.below('price', symbol)) {
    scope.touch('price', renamed, key.split('|')[1] ?? '');
  }
  for (const key of watchersOf(scope, symbol)) {
    scope.touch('watchlist', key.split('|')[0] ?? '', renamed);
  }
  scope.touch('instrument', renamed);
  await scope.run('UPDATE brokerage.instrument SET symbol = ? WHERE symbol = ?', [renamed, symbol]);
  if (random.chance(0.3)) await upsertPrice(scope, renamed, '2025-01-02');
}

/** Refused by the orders that it has, so those with none go; the jobs' symbol becomes NULL. */
export async function delistInstrument(scope: Scope): Promise<void> {
  const symbol = scope.random.pick(scope.own.keys('instrument'));
  const orders = await scope.query('SELECT id FROM brokerage.`order` WHERE symbol = ?', [symbol]);
  await takeInstrument(scope, symbol);
  if (orders.length > 0) {
    await scope.run(
      "UPDATE brokerage.instrument SET flags = 'halted', meta = NULL WHERE symbol = ?",
      [symbol],
    );
  } else {
    await scope.run('DELETE FROM brokerage.instrument WHERE symbol = ?', [symbol]);
  }
}

/** Two unique values change places within one transaction. */
export async function swapSlots(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const first = random.pick(own.keys('instrument'));
  const second = random.pick(own.keys('instrument'));
  if (first === second) return;
  await scope.take('instrument', [first, second]);
  const rows = await scope.query(
    'SELECT symbol, listing_slot FROM brokerage.instrument WHERE symbol IN (?, ?)',
    [first, second],
  );
  const slot = (symbol: string) =>
    rows.find((row) => String(row['symbol']).toLowerCase() === symbol)?.['listing_slot'] as
      number | null;
  const set = (symbol: string, to: number | null) =>
    scope.run('UPDATE brokerage.instrument SET listing_slot = ? WHERE symbol = ?', [to, symbol]);
  await set(first, null);
  await set(second, slot(first) ?? null);
  await set(first, slot(second) ?? null);
}

/** Cascades over two levels whose keys hold the parent's. */
export async function renameJob(scope: Scope): Promise<void> {
  const job = scope.random.pick(scope.own.keys('job'));
  await takeJob(scope, job);
  const renamed = scope.random.chance(0.3) ? job.toUpperCase() : `${scope.prefix} job ${scope.seq}`;
  scope.touch('job', renamed);
  for (const table of ['jobRun', 'jobRunLine'] as const) {
    for (const key of scope.own.below(table, job)) {
      scope.touch(table, renamed, ...key.split('|').slice(1));
    }
  }
  await scope.run('CALL scheduler.rename_job(?, ?)', [job, renamed]);
}

export async function dropJob(scope: Scope): Promise<void> {
  const job = scope.random.pick(scope.own.keys('job'));
  await takeJob(scope, job);
  await scope.run('DELETE FROM scheduler.job WHERE name = ?', [job]);
}

async function addJob(scope: Scope, symbol: string): Promise<void> {
  const name = `${scope.prefix} Job ${scope.seq}`;
  await scope.run(
    "INSERT INTO scheduler.job (name, symbol, every, plan) VALUES (?, ?, '-12:30:00.125', ?)",
    [name, symbol, '{"steps":[]}'],
  );
  scope.touch('job', name);
  for (let run = 1; run <= 2; run += 1) {
    await scope.run("INSERT INTO scheduler.job_run VALUES (?, ?, NOW(6), 'ok')", [name, run]);
    await scope.run('INSERT INTO scheduler.job_run_line VALUES (?, ?, 1, ?)', [name, run, 'done']);
    scope.touch('jobRun', name, run);
    scope.touch('jobRunLine', name, run, 1);
  }
}

async function takeJob(scope: Scope, job: string): Promise<void> {
  await scope.take('job', [job]);
  await scope.take('jobRun', scope.own.below('jobRun', job));
  await scope.take('jobRunLine', scope.own.below('jobRunLine', job));
}

async function takeInstrument(scope: Scope, symbol: string): Promise<void> {
  await scope.take('instrument', [symbol]);
  await scope.take('price', scope.own.below('price', symbol));
  await scope.take('watchlist', watchersOf(scope, symbol));
  const orders = await scope.query('SELECT id FROM brokerage.`order` WHERE symbol = ?', [symbol]);
  await scope.take('order', orders.map((row) => String(row['id']))); // prettier-ignore
  const jobs = await scope.query('SELECT name FROM scheduler.job WHERE symbol = ?', [symbol]);
  await scope.take('job', jobs.map((row) => rowKey('job', [String(row['name'])]))); // prettier-ignore
}

async function upsertPrice(scope: Scope, symbol: string, day: string): Promise<void> {
  const { random } = scope;
  scope.touch('price', symbol, day);
  await scope.run(
    `INSERT INTO brokerage.\`price.history\` (symbol, day, open, close, vwap, volatility, volume)
     VALUES (?, ?, ${random.decimal(3, 10)}, ${random.decimal(3, 10)}, ${random.uint32()} / 7e0, 0.1e0, 18446744073709551615)
     ON DUPLICATE KEY UPDATE close = close + 1, volatility = NULL`,
    [symbol, day],
  );
}

function watchersOf(scope: Scope, symbol: string): string[] {
  return scope.own.keys('watchlist').filter((key) => key.endsWith(`|${symbol}`));
}

/** Almost surely unused: seeded slots are small, and two of 2^32 rarely meet. */
function freeSlot(scope: Scope): number | null {
  return scope.random.chance(0.15) ? null : 1_000_000 + scope.random.integer(0, 4_000_000_000);
}
