import { sqlLiteral } from '../../sample/seed/seeder.ts';
import { edgeValues } from '../../sample/seed/special-types.ts';
import { awkwardBytes } from '../../sample/seed/trading.ts';
import type { Scope } from './scope.ts';

/** Equal rows in a table without a key: more of them, fewer of them, one of them changed. */
export async function writeTape(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const keys = own.keys('tape');
  if (keys.length < 3 || (keys.length < 25 && random.chance(0.4))) {
    const copies = random.integer(1, 4);
    const row = `(?, ${scope.seq}, ${random.decimal(3, 10)}, ${random.integer(0, 9)}, b'101')`;
    await scope.run(
      `INSERT INTO brokerage.tape VALUES ${Array.from({ length: copies }, () => row).join(', ')}`,
      Array.from({ length: copies }, () => scope.prefix),
    );
    scope.touch('tape', scope.prefix, scope.seq);
    return;
  }
  const key = random.pick(keys);
  const tag = key.split('|')[1] ?? '';
  await scope.take('tape', [key]);
  const which = `WHERE source = ? AND tag = ${tag}`;
  const change = random.pick([
    `UPDATE brokerage.tape SET size = size + 1 ${which} LIMIT 1`,
    `UPDATE brokerage.tape SET price = NULL ${which}`,
    `DELETE FROM brokerage.tape ${which} LIMIT 1`,
    `DELETE FROM brokerage.tape ${which}`,
    `INSERT INTO brokerage.tape SELECT * FROM brokerage.tape ${which} LIMIT 1`,
  ]);
  await scope.run(change, [scope.prefix]);
}

/** AUTO_INCREMENT without a primary key. */
export async function writePulse(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const keys = own.keys('pulse');
  if (keys.length < 5 || (keys.length < 30 && random.chance(0.4))) {
    const id = await scope.insert(
      `INSERT INTO scheduler.pulse (source, beat) VALUES (?, ${random.uint32()} / 3e0)`,
      [scope.prefix],
    );
    scope.touch('pulse', id);
    return;
  }
  const id = random.pick(keys);
  await scope.take('pulse', [id]);
  await scope.run(
    random.chance(0.5)
      ? `UPDATE scheduler.pulse SET beat = -beat WHERE id = ${id}`
      : `DELETE FROM scheduler.pulse WHERE id = ${id}`,
  );
}

/** Blobs up to some hundred kilobytes with every byte in them. */
export async function writeDocument(scope: Scope): Promise<void> {
  const { random, own, shared } = scope;
  const keys = own.keys('document');
  const content = random.bytes(random.chance(0.1) ? random.integer(50_000, 300_000) : 2_000);
  if (keys.length < 3 || (keys.length < 12 && random.chance(0.4))) {
    const id = Buffer.concat([random.bytes(14), Buffer.alloc(2)]);
    await scope.run(
      `INSERT INTO brokerage.document (id, customer_id, kind, signature, content, summary) VALUES (?, ${random.pick(shared.customers)}, 'scan', ?, ?, ?)`,
      [id, awkwardBytes(random), content, random.words(30)],
    );
    scope.touch('document', id.toString('hex'));
    return;
  }
  const key = random.pick(keys);
  await scope.take('document', [key]);
  const id = Buffer.from(key, 'hex');
  if (random.chance(0.3)) await scope.run('DELETE FROM brokerage.document WHERE id = ?', [id]);
  else {
    await scope.run(
      'UPDATE brokerage.document SET content = ?, signature = NULL, summary = CONCAT(summary, ?) WHERE id = ?',
      [content, '\t🚀\n', id],
    );
  }
}

/** Every type's edges, changed column by column. Zero dates need a lenient mode. */
export async function writeEveryType(scope: Scope): Promise<void> {
  const { random, own } = scope;
  const keys = own.keys('everyType');
  const columns = Object.keys(edgeValues);
  const value = (column: string) => sqlLiteral(random.pick(edgeValues[column] ?? [null]));
  await scope.run("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'");
  try {
    if (keys.length < 3 || (keys.length < 20 && random.chance(0.4))) {
      const id = 100_000 + random.integer(0, 2_000_000_000);
      await scope.run(
        `INSERT INTO batch.every_type (id, ${columns.join(', ')}, hidden) VALUES (${id}, ${columns.map(value).join(', ')}, ${scope.seq})`,
      );
      scope.touch('everyType', id);
      return;
    }
    const id = random.pick(keys);
    await scope.take('everyType', [id]);
    if (random.chance(0.2)) {
      await scope.run(`DELETE FROM batch.every_type WHERE id = ${id}`);
      return;
    }
    const changed = [1, 2, 3].map(() => random.pick(columns));
    await scope.run(
      `UPDATE batch.every_type SET ${changed.map((c) => `${c} = ${value(c)}`).join(', ')} WHERE id = ${id}`,
    );
  } finally {
    await scope.run('SET SESSION sql_mode = @@global.sql_mode');
  }
}
