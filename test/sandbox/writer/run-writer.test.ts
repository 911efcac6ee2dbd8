import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/mysql/connection.ts';
import { withConnection } from '../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../src/mysql/endpoint.ts';
import { createSampleDatabase } from '../../../src/sandbox/sample/create-sample-database.ts';
import type { WriterInput } from '../../../src/sandbox/writer/options.ts';
import { parseWriterOptions } from '../../../src/sandbox/writer/options.ts';
import type { WriterProgress, WriterSummary } from '../../../src/sandbox/writer/run-writer.ts';
import { runWriter } from '../../../src/sandbox/writer/run-writer.ts';
import { verifyLedger } from '../../../src/sandbox/writer/verify-ledger.ts';
import { kinds } from '../../../src/sandbox/writer/workload/kinds.ts';
import { startMysql } from '../../servers.ts';

let server: Awaited<ReturnType<typeof startMysql>>;
let admin: Endpoint;
let folder: string;
let files: Pick<WriterInput, 'connectionFile' | 'passwordFile' | 'caFile' | 'ledgerFile'>;

beforeAll(async () => {
  server = await startMysql();
  admin = server.endpoint;
  await createSampleDatabase(admin, { scale: 0.1, seed: 3, signal: new AbortController().signal, onProgress: () => {} }); // prettier-ignore
});
afterAll(() => server.stop());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-writer-'));
  files = {
    connectionFile: join(folder, 'connection'),
    passwordFile: join(folder, 'password'),
    caFile: join(folder, 'ca.pem'),
    ledgerFile: join(folder, 'ledger.jsonl'),
  };
  await writeFile(files.connectionFile, `mysql://${admin.user}@${admin.host}:${admin.port}\n`);
  await writeFile(join(folder, 'password'), admin.password);
  await writeFile(
    join(folder, 'ca.pem'),
    admin.tls.mode === 'disabled' ? '' : (admin.tls.ca ?? ''),
  );
  return () => rm(folder, { recursive: true, force: true });
});

/** As long as it takes: a busy machine writes slowly. */
async function write(
  input: Partial<WriterInput>,
  enough: (progress: WriterProgress) => boolean,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<WriterSummary> {
  const stop = new AbortController();
  const [summary] = await Promise.all([
    runWriter(parseWriterOptions({ ...files, pollMs: 50, progressMs: 100, ...input }), {
      signal: stop.signal,
      onProgress: (progress) => {
        if (enough(progress)) stop.abort();
      },
    }),
    meanwhile(),
  ]);
  return summary;
}

describe('the writer', () => {
  test('leaves a ledger that its database fulfils, whatever kinds of transactions it makes', async () => {
    const summary = await write(
      { sessions: 4, rate: 2000 },
      (progress) => Object.keys(progress.kinds).length === kinds.length && progress.rolledBack > 0,
    );
    expect(summary).toMatchObject({ givenUp: 0, surprises: 0, unknown: 0, failing: false });
    const verdict = await verifyLedger(admin, files.ledgerFile);
    expect(verdict.problems).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, acknowledged: summary.acknowledged, outages: [] });
    expect(verdict.rowsCompared).toBeGreaterThan(100);
    expect(await readFile(files.ledgerFile, 'utf8')).not.toContain(admin.password);
  });

  test('keeps its ledger intact while its connections are killed', async () => {
    let kills = 0;
    const summary = await write(
      { sessions: 4, rate: 1000 },
      ({ acknowledged }) => kills >= 25 && acknowledged > 100,
      async () => {
        for (; kills < 25; kills += 1) {
          await delay(150);
          await killConnections();
        }
      },
    );
    expect(summary.retried).toBeGreaterThan(10);
    const verdict = await verifyLedger(admin, files.ledgerFile);
    expect(verdict.problems).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, unknown: { committed: 0, absent: 0 } });
    expect(verdict.outages.length).toBeGreaterThan(0);
  });

  test('measures how long the database took no writes', async () => {
    let fencedMs = 0;
    const summary = await write(
      { sessions: 3, rate: 300 },
      ({ failing }) => fencedMs > 0 && !failing,
      () =>
        withConnection(admin, {}, async (connection) => {
          await delay(1500);
          const started = performance.now();
          await connection.execute('SET GLOBAL super_read_only = ON');
          await delay(1500);
          await connection.execute('SET GLOBAL super_read_only = OFF');
          await connection.execute('SET GLOBAL read_only = OFF');
          fencedMs = performance.now() - started;
        }),
    );
    expect(summary.outages).toHaveLength(1);
    const [outage] = summary.outages;
    expect(outage?.ms).toBeGreaterThan(1000);
    expect(outage?.ms).toBeLessThan(fencedMs + 2000);
    expect(Object.keys(outage?.errors ?? {})).toEqual(['1290']);
    expect((await verifyLedger(admin, files.ledgerFile)).problems).toEqual([]);
  });

  test('follows its connection file to another address without losing a transaction', async () => {
    const { host, port, user } = admin;
    const pointTo = (target: object) => writeFile(files.connectionFile, JSON.stringify(target));
    await pointTo({ host: 'localhost', port: 1, user });
    const last: WriterProgress[] = [];
    const until = async (seen: (progress: WriterProgress) => boolean) => {
      while (!last.slice(-1).some(seen)) await delay(50);
    };
    let done = false;
    const summary = await write(
      { sessions: 2, rate: 200 },
      (progress) => {
        last.push(progress);
        return done;
      },
      async () => {
        await delay(300);
        await pointTo({ host, port, user });
        await until(({ acknowledged }) => acknowledged > 10);
        const before = last.at(-1)?.reconnected ?? 0;
        await pointTo({ host, port, user, comment: 'changed' });
        // A session that had not connected yet counts too.
        await until(({ reconnected }) => reconnected >= before + 2);
        done = true;
      },
    );
    expect(summary.errors).toEqual({});
    expect((await verifyLedger(admin, files.ledgerFile)).ok).toBe(true);
  });
});

describe('the verification of the ledger', () => {
  test('does not pass on an empty ledger', async () => {
    await writeFile(files.ledgerFile, '');
    expect((await verifyLedger(admin, files.ledgerFile)).ok).toBe(false);
  });

  test('takes a commit whose outcome was never learnt either way, but wholly', async () => {
    const summary = await write(
      { sessions: 1, rate: 500 },
      ({ acknowledged }) => acknowledged > 20,
    );
    const lines = (await readFile(files.ledgerFile, 'utf8')).trim().split('\n');
    const last = lines.findLastIndex((line) => line.includes('"acknowledged"'));
    lines.splice(last, 1);
    await writeFile(files.ledgerFile, `${lines.join('\n')}\n{"type":"ackn`);
    const verdict = await verifyLedger(admin, files.ledgerFile);
    expect(verdict).toMatchObject({
      ok: true,
      acknowledged: summary.acknowledged - 1,
      unknown: { committed: 1, absent: 0 },
    });
  });

  // Nobody takes the damage back: this comes last.
  const cases: [what: string, kind: 'missing' | 'doubled' | 'unexpected' | 'altered', tamper: (c: Connection, writer: string) => Promise<unknown>][] = [
    ['a ledger row is gone', 'missing', (c, w) => c.execute("DELETE FROM brokerage.ledger_entry WHERE writer_id = ? AND kind = 'write-tape' LIMIT 1", [w])],
    ['a ledger row is doubled', 'doubled', (c, w) => c.execute('INSERT INTO brokerage.ledger_entry (writer_id, session_no, seq, kind, digest, payload) SELECT writer_id, session_no, seq, kind, digest, payload FROM brokerage.ledger_entry WHERE writer_id = ? AND kind = \'amend-order\' LIMIT 1', [w])],
    ['a row that nobody promised is there', 'unexpected', (c, w) => c.execute("INSERT INTO brokerage.ledger_entry (writer_id, session_no, seq, kind, digest, payload) VALUES (?, 1, 999999, 'transfer', '', '')", [w])],
    ['a payload differs', 'altered', (c, w) => c.execute('UPDATE brokerage.ledger_entry SET payload = CONCAT(payload, 0x00) WHERE writer_id = ? LIMIT 1', [w])],
    ['a balance differs by the last digit', 'altered', (c) => c.execute('UPDATE brokerage.account SET balance = balance + 0.0000000001 LIMIT 1')],
    ['a posting is gone and the balance fits', 'missing', async (c, w) => {
      await c.execute('USE brokerage');
      await c.execute('CREATE TEMPORARY TABLE brokerage.one SELECT p.* FROM brokerage.posting p JOIN brokerage.ledger_entry e ON e.id = p.entry_id WHERE e.writer_id = ? LIMIT 1', [w]);
      await c.execute('UPDATE brokerage.account a JOIN brokerage.one o ON o.account_id = a.id SET a.balance = a.balance - o.amount');
      await c.execute('DELETE p FROM brokerage.posting p JOIN brokerage.one o USING (entry_id, line_no)');
      await c.execute('DROP TEMPORARY TABLE brokerage.one');
    }],
    ['a trigger fired twice', 'doubled', (c, w) => c.execute('INSERT INTO brokerage.account_audit (account_id, old_balance, new_balance, actor, noted_at) SELECT account_id, old_balance, new_balance, actor, noted_at FROM brokerage.account_audit WHERE actor LIKE ? LIMIT 1', [`${w}/%`])],
    ['a row without a key is doubled', 'altered', (c, w) => c.execute('INSERT INTO brokerage.tape SELECT * FROM brokerage.tape WHERE source LIKE ? LIMIT 1', [`w${w.slice(0, 8)}s%`])],
    ['a cascade did not happen', 'unexpected', async (c) => {
      await c.execute('SET foreign_key_checks = 0');
      await c.execute('INSERT INTO brokerage.fill (order_id, line_no, quantity, price, venue, executed_at) VALUES (?, ?, 1, 1, "XNYS", NOW(6))', await deletedFill());
      await c.execute('SET foreign_key_checks = 1');
    }],
    ['a JSON document differs', 'altered', (c, w) => c.execute("UPDATE brokerage.`order` SET attributes = JSON_SET(attributes, '$.big', 1.0) WHERE internal_note LIKE ? LIMIT 1", [`via ${w}%`])],
    ['what was rolled back is there', 'unexpected', (c, w) => c.execute('INSERT INTO brokerage.tape (source, tag) VALUES (?, -1)', [`w${w.slice(0, 8)}s1`])],
  ]; // prettier-ignore

  test('notices everything that is not as it was promised', async () => {
    const { writer } = await write(
      { sessions: 3, rate: 2000 },
      (progress) => Object.keys(progress.kinds).length > 18 && progress.acknowledged > 400,
    );
    let before = await verifyLedger(admin, files.ledgerFile);
    expect(before.problems).toEqual([]);
    const noticed: object[] = [];
    for (const [what, kind, tamper] of cases) {
      await withConnection(admin, {}, (connection) => tamper(connection, writer));
      const after = await verifyLedger(admin, files.ledgerFile);
      noticed.push({
        what,
        ok: after.ok,
        found: after[kind] - before[kind],
        problems: after.problems.length - before.problems.length,
      });
      before = after;
    }
    expect(noticed).toEqual(cases.map(([what]) => ({ what, ok: false, found: 1, problems: 1 })));
  });
});

/** A fill that the ledger says was deleted with its order. */
async function deletedFill(): Promise<[string, string]> {
  const last = new Map<string, string | null>();
  for (const line of (await readFile(files.ledgerFile, 'utf8')).trim().split('\n')) {
    const record = JSON.parse(line) as { type: string; effect: { rows: [string, string, string | null][] } }; // prettier-ignore
    if (record.type !== 'intent') continue;
    for (const [table, key, digest] of record.effect.rows) {
      if (table === 'fill') last.set(key, digest);
    }
  }
  const key = [...last].find(([, digest]) => digest === null)?.[0] ?? '';
  const [order = '', line = ''] = key.split('|');
  return [order, line];
}

async function killConnections(): Promise<void> {
  await withConnection(admin, {}, async (connection) => {
    const others = await connection.query(
      "SELECT PROCESSLIST_ID AS id FROM performance_schema.threads WHERE PROCESSLIST_USER = 'root' AND PROCESSLIST_ID <> CONNECTION_ID()",
    );
    for (const { id } of others) {
      await connection.execute(`KILL ${Number(id)}`).catch(() => {});
    }
  });
}
