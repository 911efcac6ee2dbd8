import type { Scope } from './scope.ts';

/** A customer with accounts and a watchlist; the next one is referred by the one before. */
export async function openCustomer(scope: Scope): Promise<void> {
  const { random, own, shared } = scope;
  const [referrer] = own.keys('customer');
  const customer = await scope.insert(
    `INSERT INTO brokerage.customer (code, name, email, preferences, referred_by, created_at, risk_note)
     VALUES (?, ?, ?, '{"opened":true}', ${referrer ?? 'NULL'}, NOW(6), 'hidden')`,
    [`${scope.prefix}-${scope.seq}`, random.words(2), random.chance(0.5) ? null : `${scope.prefix}.${scope.seq}@example.org`], // prettier-ignore
  );
  scope.touch('customer', customer);
  for (let i = 0; i < 2; i += 1) {
    const account = 2n ** 63n + BigInt(random.uint32()) * 2n ** 30n + BigInt(random.uint32());
    await scope.run(
      `INSERT INTO brokerage.account (id, customer_id, number, currency) VALUES (${account}, ${customer}, ?, 'EUR')`,
      [`${scope.prefix}-${scope.seq}-${i}`],
    );
    scope.touch('account', account);
  }
  const symbol = random.pick(shared.symbols);
  await scope.run(
    `INSERT INTO brokerage.watchlist_item (customer_id, symbol, added_at) VALUES (${customer}, ?, NOW(6))`,
    [symbol],
  );
  scope.touch('watchlist', customer, symbol);
}

/** Deletes accounts and watchlists by cascade and sets the referrals to NULL. */
export async function closeCustomer(scope: Scope): Promise<void> {
  const customer = scope.random.pick(scope.own.keys('customer'));
  await scope.take('customer', [customer]);
  const accounts = await scope.query(
    `SELECT id FROM brokerage.account WHERE customer_id = ${customer}`,
  );
  await scope.take('account', accounts.map((row) => String(row['id']))); // prettier-ignore
  await scope.take('watchlist', scope.own.below('watchlist', customer));
  const referred = await scope.query(
    `SELECT id FROM brokerage.customer WHERE referred_by = ${customer}`,
  );
  await scope.take('customer', referred.map((row) => String(row['id']))); // prettier-ignore
  await scope.run(`DELETE FROM brokerage.customer WHERE id = ${customer}`);
}

/** A tree of desks grows below own desks; deleting one takes all below it. */
export async function changeDesks(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const desks = own.keys('desk');
  if (desks.length < 15 && (desks.length === 0 || random.chance(0.7))) {
    const parent = desks.length > 0 && random.chance(0.8) ? random.pick(desks) : 'NULL';
    const id = await scope.insert(
      `INSERT INTO brokerage.desk (parent_id, name) VALUES (${parent}, ?)`,
      [`${scope.prefix} ${scope.seq}`],
    );
    scope.touch('desk', id);
    return;
  }
  const root = random.pick(desks);
  const below = await scope.query(
    `WITH RECURSIVE tree (id) AS (SELECT id FROM brokerage.desk WHERE id = ${root}
       UNION ALL SELECT d.id FROM brokerage.desk d JOIN tree t ON d.parent_id = t.id)
     SELECT id FROM tree`,
  );
  await scope.take('desk', below.map((row) => String(row['id']))); // prettier-ignore
  await scope.run(`DELETE FROM brokerage.desk WHERE id = ${root}`);
}

/** Keys near 2^64-1 that change, with children that follow. */
export async function changeMembers(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const members = own.keys('member');
  if (members.length < 2 || (members.length < 10 && random.chance(0.4))) {
    const member = freeMember(scope);
    await scope.run(
      `INSERT INTO brokerage.\`clearing-member\` VALUES (${member}, ?, -9223372036854775808)`,
      [scope.prefix],
    );
    await scope.run(
      `INSERT INTO brokerage.\`clearing margin call\` VALUES (${member}, 1, ${random.decimal(30, 30)}, '-100:00:00.001'), (${member}, 4294967295, 0.000000000000000000000000000001, '00:00:00.999')`,
    );
    scope.touch('member', member);
    scope.touch('marginCall', member, 1);
    scope.touch('marginCall', member, 4294967295);
    return;
  }
  const member = random.pick(members);
  await scope.take('member', [member]);
  const calls = own.below('marginCall', member);
  await scope.take('marginCall', calls);
  if (random.chance(0.25)) {
    await scope.run(`DELETE FROM brokerage.\`clearing-member\` WHERE \`member no\` = ${member}`);
    return;
  }
  const moved = freeMember(scope);
  for (const call of calls) scope.touch('marginCall', moved, call.split('|')[1] ?? '');
  scope.touch('member', moved);
  await scope.run(
    `UPDATE brokerage.\`clearing-member\` SET \`member no\` = ${moved}, capacity = capacity + 1 WHERE \`member no\` = ${member}`,
  );
}

/** Off the multiples of 1000 below 2^64 that the seed uses. */
function freeMember(scope: Scope): bigint {
  return 2n ** 64n - 2n - BigInt(scope.random.uint32()) * 1_000_000n - BigInt(scope.seq % 900);
}
