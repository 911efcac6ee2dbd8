import { accountId } from './customers.ts';
import type { Random } from './random.ts';
import type { Seeder, SeedValue } from './seeder.ts';
import type { Sizes } from './sizes.ts';

export async function seedInstruments(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  await seeder.insert(
    ['brokerage', 'instrument'],
    ['symbol', 'name', 'kind', 'isin', 'tick', 'listing_slot', 'flags', 'meta'],
    instruments(sizes, seeder.random('instrument')),
  );
  await seeder.insert(
    ['brokerage', 'watchlist_item'],
    ['customer_id', 'symbol', 'rank_no', 'added_at'],
    watchlists(sizes, seeder.random('watchlist')),
  );
  await seeder.insert(
    ['brokerage', 'price.history'],
    ['symbol', 'day', 'open', 'close', 'vwap', 'volatility', 'volume'],
    prices(sizes, seeder.random('price')),
  );
}

export async function seedOrders(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  await seeder.insert(
    ['brokerage', 'order'],
    ['id', 'account_id', 'symbol', 'client_ref', 'side', 'status', 'quantity', 'limit', 'fee', 'attributes', 'placed_at', 'expires_at', 'internal_note'], // prettier-ignore
    orders(sizes, seeder.random('order')),
  );
  await seeder.insert(
    ['brokerage', 'fill'],
    ['order_id', 'line_no', 'quantity', 'price', 'venue', 'executed_at'],
    fills(sizes, seeder.random('fill')),
  );
  await seeder.insert(
    ['brokerage', 'TradeNote'],
    ['id', 'order_id', 'author', 'body'],
    notes(sizes, seeder.random('note')),
  );
}

export async function seedPapers(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  await seeder.insert(
    ['brokerage', 'document'],
    ['id', 'customer_id', 'kind', 'signature', 'content', 'summary'],
    documents(sizes, seeder.random('document')),
  );
  const members = Array.from(
    { length: sizes.members },
    (_, i) => 2n ** 64n - 1n - BigInt(i) * 1000n,
  );
  const random = seeder.random('clearing');
  await seeder.insert(
    ['brokerage', 'clearing-member'],
    ['member no', 'name', 'capacity'],
    members.map((no) => [no, random.words(2), -(2n ** 63n) + BigInt(random.uint32())]),
  );
  await seeder.insert(
    ['brokerage', 'clearing margin call'],
    ['member no', 'call', 'amount', 'due'],
    members.flatMap(
      (no) =>
      [1, 2].map((call) => [no, call, random.decimal(30, 30), `${random.chance(0.3) ? '-' : ''}${random.integer(0, 838)}:${random.integer(10, 58)}:07.${random.integer(100, 999)}`]), // prettier-ignore
    ),
  );
  await seeder.insert(
    ['brokerage', 'tape'],
    ['source', 'tag', 'price', 'size', 'flags'],
    tape(sizes, seeder.random('tape')),
  );
}

export function symbolOf(index: number): string {
  return `${['Acme', 'bolt', 'CRUX', 'Zürich', 'Ωmega'][index % 5]}.${String(index).padStart(6, '0')}`;
}

function* instruments(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let i = 0; i < sizes.instruments; i += 1) {
    yield [
      symbolOf(i),
      random.words(3),
      random.pick(['share', 'bond', 'fund', 'option', 'future']),
      random.chance(0.3) ? null : `XS${String(i).padStart(10, '0')}`,
      random.pick(['0.0100000000', '0.0000000001', '99999999999999999999.9999999999']),
      random.chance(0.2) ? null : i + 1,
      random.pick(['', 'tradable', 'tradable,shortable,marginable', 'halted,dark']),
      random.chance(0.1) ? null : `{"sector":"${random.pick(['energy', 'Health', 'it', 'IT'])}","lots":[${random.integer(1, 500)},1.50]}`, // prettier-ignore
    ];
  }
}

function* watchlists(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let customer = 1; customer <= sizes.customers; customer += 1) {
    const first = random.integer(0, sizes.instruments - 3);
    for (let i = 0; i < 3; i += 1) {
      yield [customer, symbolOf(first + i), random.integer(-5, 5), random.moment()];
    }
  }
}

function* prices(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  const first = Date.UTC(2024, 0, 1);
  for (let i = 0; i < sizes.instruments; i += 1) {
    for (let day = 0; day < sizes.priceDays; day += 1) {
      yield [
        symbolOf(i),
        new Date(first + day * 86_400_000).toISOString().slice(0, 10),
        random.decimal(6, 10),
        random.decimal(6, 10),
        {
          literal: `${random.integer(1, 10_000)}.${random.integer(0, 999_999)}e${random.integer(-300, 300)}`,
        },
        random.chance(0.1)
          ? null
          : { literal: `${random.integer(0, 16_777_216)}e-${random.integer(0, 30)}` },
        random.chance(0.02) ? 2n ** 64n - 1n : random.uint32(),
      ];
    }
  }
}

function* orders(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.orders; id += 1) {
    yield [
      id,
      accountId(random.integer(0, sizes.accounts - 1)),
      symbolOf(random.integer(0, sizes.instruments - 1)),
      random.chance(0.5) ? null : `ref-${id}-${random.pick(['a', 'A', 'ä'])}`,
      random.pick(['buy', 'sell']),
      random.pick(['new', 'partial', 'filled', 'cancelled']),
      `${random.integer(1, 100_000)}.${random.decimal(10, 0)}`,
      random.chance(0.2) ? null : random.decimal(6, 10),
      random.decimal(3, 10),
      random.chance(0.3) ? null : `{"route":["${random.pick(['XETR', 'XNYS'])}",${random.integer(1, 9)}],"iceberg":${random.chance(0.5)},"id":${2n ** 60n + BigInt(id)}}`, // prettier-ignore
      random.moment(),
      random.chance(0.5) ? null : '2038-01-19 03:14:07',
      random.chance(0.5) ? null : random.words(2),
    ];
  }
}

function* fills(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let order = 1; order <= sizes.orders; order += 1) {
    const lines = random.integer(0, 3);
    for (let line = 1; line <= lines; line += 1) {
      yield [
        order,
        line,
        random.decimal(5, 10),
        random.decimal(5, 10),
        random.pick(['XETR', 'XNYS', 'XTKS', 'DARK']),
        random.moment(),
      ];
    }
  }
}

function* notes(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.notes; id += 1) {
    yield [
      id,
      random.chance(0.2) ? null : random.integer(1, sizes.orders),
      random.pick(['José', 'Zoë', 'Mei']),
      random.words(random.integer(0, 60)),
    ];
  }
}

function* documents(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let i = 0; i < sizes.documents; i += 1) {
    const content = random.bytes(random.chance(0.02) ? 120_000 : random.integer(0, 6_000));
    // Trailing zeros in a BINARY key are part of the value.
    const id = Buffer.concat([Buffer.from([i >> 16, i >> 8, i]), random.bytes(9), Buffer.alloc(4)]);
    yield [
      id,
      random.chance(0.2) ? null : random.integer(1, sizes.customers),
      random.pick(['contract', 'scan', 'tax']),
      random.chance(0.1) ? null : awkwardBytes(random),
      content,
      random.chance(0.3) ? null : random.words(random.integer(0, 200)),
    ];
  }
}

/** The bytes that a LOAD DATA stream has to escape, among others. */
export function awkwardBytes(random: Random): Buffer {
  const awkward = Buffer.from('\t\n\r\\\0\\N\x1a\'"\x7f', 'latin1');
  return Buffer.concat([awkward, random.bytes(random.integer(0, 80)), awkward]);
}

/** Every row at least twice. */
function* tape(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let i = 0; i < sizes.tape; i += 2) {
    const row = [
      'seed',
      i,
      random.chance(0.1) ? null : random.decimal(4, 10),
      random.chance(0.1) ? null : random.integer(0, 1000),
      random.bytes(8),
    ];
    yield row;
    yield row;
  }
}
