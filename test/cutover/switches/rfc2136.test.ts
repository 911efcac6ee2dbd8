import { createSocket } from 'node:dgram';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import dns from 'dns-packet';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askServer } from '../../../src/clouds/dns/ask.ts';
import type { Rfc2136SwitchOptions } from '../../../src/cutover/switches/rfc2136.ts';
import { createRfc2136Switch } from '../../../src/cutover/switches/rfc2136.ts';
import { sendUpdate } from '../../../src/cutover/switches/nsupdate.ts';
import { resolveNamed, resolveNsupdate } from '../../../src/sandbox/resolver/resolve.ts';
import type { BindServer } from './bind-server.ts';
import { BIND_STOP_GRACE_MS, randomTsigKey, startBindServer } from './bind-server.ts';

const signal = new AbortController().signal;
const key = randomTsigKey('skyferry');
const zone = 'shop.example';
let folder: string;
let server: BindServer;
let nsupdate: readonly string[];
let start: () => Promise<BindServer>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-bind-'));
  const program = await resolveNamed();
  nsupdate = (await resolveNsupdate()).command([]);
  start = () =>
    startBindServer({
      program,
      folder: join(folder, 'server'),
      zone,
      records: ['db 300 CNAME old.example.', 'address A 127.0.0.1', '@ NS ns2', 'ns2 A 127.0.0.2'],
      key,
      life: { mode: 'bound', removeAfter: folder },
    });
  server = await start();
});

afterAll(async () => {
  await server.process.stop(BIND_STOP_GRACE_MS);
  await rm(folder, { recursive: true, force: true });
});

const served = async () => {
  const { answers, authoritative } = await askServer(
    server,
    { name: `db.${zone}`, type: 'CNAME' },
    signal,
  );
  const [answer] = answers;
  return authoritative && answer?.type === 'CNAME' ? { data: answer.data, ttl: answer.ttl } : null;
};

/** As somebody else would. */
const set = async (target: string) => {
  const lines = [
    `update delete db.${zone}. CNAME`,
    `update delete _skyferry-ttl.db.${zone}. TXT`,
    `update add db.${zone}. 300 CNAME ${target}.`,
  ];
  expect(await sendUpdate(nsupdate, { server, zone, key, lines }, signal)).toBe('done');
};

const make = (further: Partial<Rfc2136SwitchOptions> = {}) =>
  createRfc2136Switch({
    consumer: 'app',
    server: `127.0.0.1:${server.port}`,
    zone,
    record: 'db',
    from: 'old.example',
    to: 'new.example',
    ttl: 5,
    key: async () => key,
    nsupdate: async () => nsupdate,
    ...further,
  });

describe('the switch by dynamic DNS update', () => {
  beforeEach(async () => await set('old.example'));

  it('changes what the server serves and nothing else of it, undoes it, and may be repeated', async () => {
    const app = make();
    await app.precondition(signal);
    await expect(app.probe(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await app.do(signal);
    expect(await served()).toEqual({ data: 'new.example', ttl: 300 });
    await app.probe(signal);
    await app.precondition(signal);
    await app.do(signal);
    expect(await served()).toEqual({ data: 'new.example', ttl: 300 });
    await app.undo(signal);
    await app.undo(signal);
    expect(await served()).toEqual({ data: 'old.example', ttl: 300 });
  });

  it('refuses a record that somebody else has changed, and leaves it', async () => {
    await set('third.example');
    for (const act of ['precondition', 'do', 'undo', 'probe'] as const) {
      await expect(make()[act](signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    }
    expect(await served()).toMatchObject({ data: 'third.example' });
  });

  it('is refused by the server itself when the record changes between the look and the update', async () => {
    const racing = make({
      nsupdate: async () => {
        await set('third.example');
        return nsupdate;
      },
    });
    await expect(racing.do(signal)).rejects.toThrow('third.example');
    expect(await served()).toMatchObject({ data: 'third.example' });
    const lines = [
      `prereq yxrrset db.${zone}. CNAME old.example.`,
      `update delete db.${zone}. CNAME`,
    ];
    expect(await sendUpdate(nsupdate, { server, zone, key, lines }, signal)).toEqual({
      refused: 'NXRRSET',
    });
  });

  it('takes a lost answer for what it is: the record tells', async () => {
    const program = join(folder, 'loses-the-first-answer');
    const once = `if mkdir ${folder}/lost 2>/dev/null; then ${nsupdate.join(' ')} "$@" >/dev/null 2>&1; kill -9 $$; fi`;
    await writeFile(program, `#!/bin/sh\n${once}\nexec ${nsupdate.join(' ')} "$@"\n`);
    await chmod(program, 0o755);
    await make({ nsupdate: async () => [program] }).do(signal);
    expect(await served()).toMatchObject({ data: 'new.example' });
    await make().probe(signal);
  });

  it('lowers the TTL with the former one remembered beside it, and puts it back', async () => {
    const app = make();
    const first = await app.lowerTtl?.(signal);
    expect(first?.formerTtl).toBe(300);
    expect(first?.waitMs).toBeGreaterThan(295_000);
    expect(await served()).toEqual({ data: 'old.example', ttl: 5 });
    expect((await make().lowerTtl?.(signal))?.formerTtl).toBe(300);
    await app.do(signal);
    expect(await served()).toEqual({ data: 'new.example', ttl: 5 });
    await app.probe(signal);
    await app.restoreTtl?.(300, signal);
    await app.restoreTtl?.(300, signal);
    expect(await served()).toEqual({ data: 'new.example', ttl: 300 });
    const mark = { name: `_skyferry-ttl.db.${zone}`, type: 'TXT' } as const;
    expect((await askServer(server, mark, signal)).answers).toEqual([]);
  });

  it('is seen to be switched only when every server of the zone serves it', async () => {
    let second = 'old.example';
    await using _ = await secondary(() => second);
    await make().do(signal);
    let seen = false;
    const probe = make()
      .probe(signal)
      .then(() => (seen = true));
    await sleep(700);
    expect(seen).toBe(false);
    second = 'new.example';
    await probe;
  });

  it('says that a key is not accepted, and never what it is', async () => {
    const wrong = randomTsigKey('skyferry');
    const unknown = randomTsigKey('nobody');
    for (const other of [wrong, unknown, { ...key, secret: 'pass"word\nserver 127.0.0.2' }]) {
      const error = await make({ key: async () => other })
        .do(signal)
        .then(
          () => expect.fail('it was accepted'),
          (reason: unknown) => reason,
        );
      expect(error).toMatchObject({ code: 'SWITCH_FAILED' });
      expect(inspect(error)).not.toContain(other.secret.slice(0, 8));
    }
    await expect(make({ key: async () => null }).do(signal)).rejects.toThrow('REFUSED');
    expect(await served()).toMatchObject({ data: 'old.example' });
  });

  it('refuses what is no CNAME, what is in another zone, and names that would be further lines', async () => {
    for (const record of ['address', 'absent', 'db old\nsend']) {
      await expect(make({ record }).precondition(signal)).rejects.toMatchObject({
        code: 'SWITCH_FAILED',
      });
    }
    await expect(make({ zone: 'other.example' }).precondition(signal)).rejects.toThrow(
      'does not speak for',
    );
    await expect(make({ to: 'new\nsend' }).do(signal)).rejects.toThrow('not a host name');
    expect(await served()).toMatchObject({ data: 'old.example' });
  });

  it('never gives the key to the command line', async () => {
    const seen = join(folder, 'seen');
    const program = join(folder, 'looks');
    await writeFile(program, `#!/bin/sh\necho "$@" >${seen}\nexec ${nsupdate.join(' ')} "$@"\n`);
    await chmod(program, 0o755);
    await make({ nsupdate: async () => [program] }).do(signal);
    expect(await readFile(seen, 'utf8')).not.toContain(key.secret);
  });

  it('finds the zone as it was left after the server was stopped', async () => {
    await make().do(signal);
    await server.process.stop(BIND_STOP_GRACE_MS);
    await expect(make().probe(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    server = await start();
    await make().probe(signal);
  });
});

/** Where the zone's other NS record leads: a server that BIND has not told of changes yet. */
async function secondary(value: () => string): Promise<AsyncDisposable> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => {
    const { id = 0, questions = [] } = dns.decode(bytes);
    const [question] = questions;
    if (question === undefined) return;
    const answers = [{ type: 'CNAME', name: question.name, ttl: 300, data: value() } as const];
    const flags = dns.AUTHORITATIVE_ANSWER;
    socket.send(dns.encode({ type: 'response', id, flags, questions, answers }), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(server.port, '127.0.0.2', resolve));
  return { [Symbol.asyncDispose]: async () => void socket.close() };
}
