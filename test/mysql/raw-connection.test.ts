import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { PacketReader } from '../../src/mysql/packets.ts';
import { openRawConnection } from '../../src/mysql/open-raw-connection.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';

let server: TestMysql;
let plain: Endpoint;
beforeAll(async () => {
  server = await startMysql();
  const admin = await openRawConnection(server.endpoint);
  await admin.run("CREATE USER plain@'%' IDENTIFIED WITH caching_sha2_password BY ''");
  await admin.run("GRANT ALL ON *.* TO plain@'%'");
  await admin.run('CREATE DATABASE raw');
  await admin.close();
  plain = { ...server.endpoint, user: 'plain', password: '', tls: { mode: 'disabled' } };
});
afterAll(() => server.stop());

const many = (rows: number) =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i, REPEAT('x', i % 300) FROM n`;
const deep = ['SET SESSION cte_max_recursion_depth = 1000000'];

describe.each([
  ['TLS', () => server.endpoint],
  ['plain', () => plain],
])('over %s', (_, endpoint) => {
  test('rows arrive in order, also when the reader pauses', async () => {
    const raw = await openRawConnection(endpoint(), { session: deep });
    let bytes = 0;
    let paused = false;
    const selected = await raw.selectRows(many(40_000), (_buffer, start, end) => {
      if (paused) throw new Error('a row while paused');
      bytes += end - start;
      if (bytes % 50 !== 0) return true;
      paused = true;
      setTimeout(() => {
        paused = false;
        raw.resume();
      }, 0);
      return false;
    });
    expect(selected).toEqual({ rows: 40_000, warnings: 0 });
    await raw.close();
  });

  test('a resume from inside the row goes on', async () => {
    const raw = await openRawConnection(endpoint(), { session: deep });
    const selected = await raw.selectRows(many(1000), () => {
      raw.resume();
      return false;
    });
    expect(selected.rows).toBe(1000);
    await raw.close();
  });

  test('a row of several packets comes in one piece', async () => {
    const raw = await openRawConnection(endpoint());
    const lengths = [1, 65_530, 16_777_210, 16_777_211, 16_777_212, 16_777_215, 40_000_000];
    const seen: number[] = [];
    await raw.selectRows(
      lengths.map((n) => `SELECT REPEAT('y', ${n})`).join(' UNION ALL '),
      (buffer, start, end) => {
        const from = buffer.indexOf('y', start);
        expect(buffer.subarray(from, end).equals(Buffer.alloc(end - from, 'y'))).toBe(true);
        seen.push(end - from);
        return true;
      },
    );
    expect(seen).toEqual(lengths);
    await raw.close();
  });

  test('loads what is written, with warnings counted', async () => {
    const raw = await openRawConnection(endpoint());
    await raw.run('DROP TABLE IF EXISTS raw.t');
    await raw.run('CREATE TABLE raw.t (a int PRIMARY KEY, b varchar(3))');
    const writer = await raw.loadLocalInfile("LOAD DATA LOCAL INFILE 'x' INTO TABLE raw.t");
    const packet = Buffer.from('    1\tabc\n1\tdup\n2\tlong text\n');
    const released = new Promise<void>((resolve) => {
      writer.write(packet, packet.length - 4, resolve);
    });
    await released;
    writer.end();
    expect(await writer.completed).toEqual({ affectedRows: 2, warnings: 2 });
    expect(await raw.rows('SELECT a, b, NULL FROM raw.t ORDER BY a')).toEqual([
      [Buffer.from('1'), Buffer.from('abc'), null],
      [Buffer.from('2'), Buffer.from('lon'), null],
    ]);
    await raw.close();
  });
});

test("a server's error is classified and leaves the connection usable", async () => {
  const raw = await openRawConnection(server.endpoint);
  await raw.run('CREATE TABLE raw.u (a int PRIMARY KEY)');
  await raw.run('INSERT INTO raw.u VALUES (424242)');
  const error = await raw.run('INSERT INTO raw.u VALUES (424242)').catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'STATEMENT_FAILED', detail: { errno: 1062 } });
  expect((error as Error).message).not.toContain('424242');
  await expect(
    raw.loadLocalInfile("LOAD DATA LOCAL INFILE 'x' INTO TABLE raw.missing"),
  ).rejects.toMatchObject({ detail: { errno: 1146 } });
  expect(await raw.rows('SELECT 1')).toEqual([[Buffer.from('1')]]);
  await raw.close();
});

test('an abort, a killed session and a silent server end what runs', async () => {
  const stop = new AbortController();
  const aborted = await openRawConnection(server.endpoint, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await expect(aborted.run('DO SLEEP(20)')).rejects.toThrow('enough');

  const killed = await openRawConnection(server.endpoint);
  const killer = await openRawConnection(server.endpoint);
  const ended = killed.rows('SELECT SLEEP(20)').catch((error: unknown) => error);
  await killer.run(`KILL ${killed.threadId}`);
  expect(await ended).toMatchObject({ code: 'CONNECTION_LOST' });
  expect(killed.usable).toBe(false);
  await expect(killed.run('DO 1')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });

  const stalled = await openRawConnection(server.endpoint, { stallTimeoutMs: 100 });
  await expect(stalled.run('DO SLEEP(20)')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await killer.close();
});

test('nobody there, and somebody who is no MySQL', async () => {
  const listener = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const endpoint: Endpoint = { ...plain, host: '127.0.0.1', port };
  await expect(openRawConnection(endpoint)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await new Promise((resolve) => listener.close(resolve));
  await expect(openRawConnection(endpoint)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('a server that asks for a file of this machine gets none', async () => {
  const sent: Buffer[] = [];
  const proxy = createServer((client) => {
    const behind = connect({ host: plain.host, port: plain.port });
    let asked = false;
    behind.on('data', (bytes) => asked || client.write(bytes));
    client.on('data', (bytes) => {
      if (asked) sent.push(bytes);
      else if (!bytes.includes('SELECT 42')) behind.write(bytes);
      else {
        asked = true;
        const request = Buffer.concat([Buffer.from([0xfb]), Buffer.from('/etc/hostname')]);
        client.write(Buffer.concat([Buffer.from([request.length, 0, 0, 1]), request]));
        // It is done with what it was given.
        setTimeout(() => client.end(Buffer.from([7, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0])), 200);
      }
    });
    for (const socket of [client, behind]) socket.on('error', () => {});
    client.on('close', () => behind.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const hostile: Endpoint = { ...plain, host: '127.0.0.1', port };
  try {
    const connection = await openConnection(hostile);
    await expect(connection.query('SELECT 42')).rejects.toMatchObject({ name: 'SkyferryFailure' });
    connection.destroy();
    for (const ask of ['run', 'rows'] as const) {
      const raw = await openRawConnection(hostile);
      await expect(raw[ask]('SELECT 42')).rejects.toMatchObject({ code: 'INTERNAL' });
      raw.destroy();
    }
    // At most the empty packet that ends a file.
    expect(Buffer.concat(sent).length).toBeLessThanOrEqual(4);
  } finally {
    await new Promise((resolve) => proxy.close(resolve));
  }
});

test('packets come out the same however the stream is cut', () => {
  const payloads = [0, 1, 5, 300, 70_000, 3].map((n, i) => Buffer.alloc(n, i + 1));
  const stream = Buffer.concat(
    payloads.flatMap((p, i) => [
      Buffer.from([p.length & 255, (p.length >> 8) & 255, p.length >> 16, i]),
      p,
    ]),
  );
  for (const step of [1, 3, 4, 5, 100, 65_536, stream.length]) {
    const reader = new PacketReader();
    const out: Buffer[] = [];
    for (let at = 0; at < stream.length; at += step) {
      reader.push(stream.subarray(at, at + step));
      while (reader.next()) {
        if (reader.sequence !== out.length) throw new Error('out of sequence');
        out.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)));
      }
    }
    expect(out.map((payload) => payload.length)).toEqual(payloads.map((p) => p.length));
    expect(Buffer.concat(out).equals(Buffer.concat(payloads))).toBe(true);
  }
});
