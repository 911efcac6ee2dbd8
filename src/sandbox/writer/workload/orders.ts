import { rowKey } from '../watched-tables.ts';
import type { Scope } from './scope.ts';

/** Four tables of two schemas in one transaction; the function and the triggers of the database help. */
export async function placeOrder(scope: Scope): Promise<void> {
  const { random, shared, own } = scope;
  const listed = own.keys('instrument');
  const symbol = listed.length > 0 && random.chance(0.5) ? random.pick(listed) : random.pick(shared.symbols); // prettier-ignore
  const price = random.decimal(4, 10);
  const quantity = `${random.integer(1, 10_000)}.${random.decimal(6, 0)}`;
  const order = await scope.insert(
    `INSERT INTO brokerage.\`order\` (account_id, symbol, client_ref, side, quantity, \`limit\`, fee, attributes, placed_at)
     VALUES (${random.pick(shared.accounts)}, ?, ?, ?, ${quantity}, ${price}, brokerage.commission(${quantity} * ${price}), ?, NOW(6))`,
    [
      symbol,
      random.chance(0.7) ? `${scope.prefix}-${scope.seq}` : null,
      random.pick(['buy', 'sell']),
      `{"route":["XETR",${random.integer(1, 9)}],"big":${2n ** 63n + BigInt(scope.seq)},"text":"ünï 🚀","list":[]}`,
    ],
  );
  scope.audited();
  scope.touch('order', order);
  const lines = random.integer(0, 3);
  for (let line = 1; line <= lines; line += 1) await addFill(scope, order, line);
  if (random.chance(0.6)) {
    const item = await scope.insert(
      `INSERT INTO batch.settlement_item (order_id, run_id, amount) VALUES (${order}, ${random.pick(shared.runs)}, ${price})`,
    );
    scope.touch('settlement', item);
  }
  if (random.chance(0.5)) {
    const note = await scope.insert(
      `INSERT INTO brokerage.TradeNote (order_id, author, body) VALUES (${order}, 'José', ?)`,
      [`${order}\t${random.words(random.integer(1, 20))}`],
    );
    scope.touch('note', note);
  }
}

/** JSON in place, an enum, a decimal; sometimes a fill more, or one written anew. */
export async function amendOrder(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const order = random.pick(own.keys('order'));
  await scope.take('order', [order]);
  await scope.run(
    `UPDATE brokerage.\`order\` SET status = ?, quantity = quantity + 0.0000000001,
       attributes = JSON_SET(attributes, '$.amended', ?, '$.list[0]', ?) WHERE id = ${order}`,
    [random.pick(['new', 'partial', 'filled']), random.integer(0, 1000), random.words(2)],
  );
  if (random.chance(0.3)) await addFill(scope, order, random.integer(10, 60_000));
  const fills = own.below('fill', order);
  const [fill] = fills;
  if (fill !== undefined && random.chance(0.4)) await rewriteFill(scope, fill);
}

/** Deletes children that the server deletes by itself, in two schemas, and sets a third's key to NULL. */
export async function cancelOrder(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const order = random.pick(own.keys('order'));
  await scope.take('order', [order]);
  await scope.take('fill', own.below('fill', order));
  const touching = `WHERE order_id = ${order}`;
  const items = await scope.query(`SELECT id FROM batch.settlement_item ${touching}`);
  await scope.take('settlement', items.map(idOf));
  const notes = await scope.query(`SELECT id FROM brokerage.TradeNote ${touching}`);
  await scope.take('note', notes.map(idOf));
  await scope.run(`DELETE FROM brokerage.\`order\` WHERE id = ${order}`);
  scope.audited();
}

/** REPLACE by a secondary unique key: the row gets another primary key. */
export async function replaceSettlement(scope: Scope): Promise<void> {
  const item = scope.random.pick(scope.own.keys('settlement'));
  await scope.take('settlement', [item]);
  const [row] = await scope.query(
    `SELECT order_id, run_id FROM batch.settlement_item WHERE id = ${item}`,
  );
  if (row === undefined) return;
  const replaced = await scope.insert(
    'REPLACE INTO batch.settlement_item (order_id, run_id, amount, settled) VALUES (?, ?, ?, 1)',
    [String(row['order_id']), Number(row['run_id']), scope.random.decimal(6, 10)],
  );
  scope.touch('settlement', replaced);
}

export async function dropNotes(scope: Scope): Promise<void> {
  const notes = scope.own.keys('note').slice(0, 5);
  await scope.take('note', notes);
  await scope.run(`DELETE FROM brokerage.TradeNote WHERE id IN (${notes.join(',')})`);
}

async function addFill(scope: Scope, order: string, line: number): Promise<void> {
  const { random } = scope;
  const key = rowKey('fill', [order, line]);
  if (scope.own.digest('fill', key) !== null) return;
  await scope.run(
    `INSERT INTO brokerage.fill (order_id, line_no, quantity, price, venue, executed_at)
     VALUES (${order}, ${line}, ${random.decimal(3, 10)}, ${random.decimal(3, 10)}, 'XNYS', NOW(6))`,
  );
  scope.touchKeys('fill', [key]);
}

/** The same key deleted and inserted again in one transaction. */
async function rewriteFill(scope: Scope, fill: string): Promise<void> {
  await scope.take('fill', [fill]);
  const [order, line] = fill.split('|');
  await scope.run(`DELETE FROM brokerage.fill WHERE order_id = ${order} AND line_no = ${line}`);
  await scope.run(
    `INSERT INTO brokerage.fill (order_id, line_no, quantity, price, venue, executed_at)
     VALUES (${order}, ${line}, 1, ${scope.random.decimal(3, 10)}, 'XTKS', NOW(6))`,
  );
}

function idOf(row: Record<string, unknown>): string {
  return String(row['id']);
}
