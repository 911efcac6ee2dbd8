import type { Random } from './random.ts';
import type { Seeder, SeedValue } from './seeder.ts';
import type { Sizes } from './sizes.ts';

export async function seedCustomers(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  await seeder.insert(
    ['brokerage', 'customer'],
    ['id', 'code', 'name', 'email', 'born', 'tier', 'preferences', 'referred_by', 'created_at', 'updated_at', 'risk_note'], // prettier-ignore
    customers(sizes, seeder.random('customer')),
  );
  await seeder.insert(
    ['brokerage', 'desk'],
    ['id', 'parent_id', 'name'],
    desks(sizes, seeder.random('desk')),
  );
  await seeder.insert(
    ['brokerage', 'account'],
    ['id', 'customer_id', 'number', 'currency', 'opening_balance', 'balance', 'margin', 'active'],
    accounts(sizes, seeder.random('account')),
  );
}

/** Every fiftieth account has a key from the upper end of the unsigned range, the first 2^64-1 itself. */
export function accountId(index: number): bigint {
  return index % 50 === 0 ? 2n ** 64n - 1n - BigInt(index) : 1000n + BigInt(index);
}

function* customers(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.customers; id += 1) {
    yield [
      id,
      `C-${String(id).padStart(8, '0')}`,
      random.words(2),
      random.chance(0.2)
        ? null
        : `person${id}@${random.pick(['example.org', 'example.com', 'post.example'])}`,
      random.chance(0.1) ? null : random.moment().slice(0, 10),
      random.pick(['basic', 'plus', 'private']),
      random.chance(0.2) ? null : preferences(random),
      id > 1 && random.chance(0.3) ? random.integer(1, id - 1) : null,
      random.moment(),
      random.moment(),
      random.chance(0.3) ? random.words(3) : null,
    ];
  }
}

/** Integers beyond 2^53, nesting, an empty key and numbers whose spelling counts. */
function preferences(random: Random): string {
  return `{"language":"${random.pick(['en', 'de', 'ja'])}","limits":[${random.integer(0, 99)},9007199254740993,18446744073709551615,-9223372036854775808],"ratio":${random.pick(['1.0', '1', '1e2', '0.1', '-0.0'])},"nested":{"a":{"b":[null,true,{"c":"ünï-漢字-🚀"}]}},"":"empty key"}`;
}

function* desks(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.desks; id += 1) {
    yield [id, id <= 3 ? null : random.integer(1, id - 1), `Desk ${id} ${random.words(1)}`];
  }
}

function* accounts(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let index = 0; index < sizes.accounts; index += 1) {
    const balance = `${random.chance(0.1) ? '-' : ''}${random.decimal(12, 10)}`;
    yield [
      accountId(index),
      1 + (index % sizes.customers),
      `DE${String(index).padStart(20, '0')}`,
      random.pick(['EUR', 'USD', 'JPY']),
      balance,
      balance,
      random.decimal(5, 2),
      { literal: random.chance(0.9) ? "b'1'" : "b'0'" },
    ];
  }
}
