import { describe, expect, test } from 'vitest';
import type { Consumer } from '../../src/cutover/job.ts';
import { lowerTtls, restoreTtls } from '../../src/cutover/lower-ttls.ts';
import type { CnameRecord, CnameState } from '../../src/cutover/switches/cname-record.ts';
import { CnameSwitch } from '../../src/cutover/switches/cname-switch.ts';
import { createFileSwitch } from '../../src/cutover/switches/file.ts';
import { SkyferryFailure } from '../../src/failures.ts';

const signal = AbortSignal.timeout(60_000);

/** A zone of one record in memory. */
class Memory implements CnameRecord<number> {
  readonly what = 'record in memory';
  state: CnameState<number>;
  failure: SkyferryFailure | null = null;

  constructor(ttl: number) {
    this.state = { value: 'old.example', ttl, lowered: null, version: 1 };
  }

  async read() {
    return this.state;
  }

  async replace(was: CnameState<number>, next: Omit<CnameState<number>, 'version'>) {
    if (this.failure !== null) throw this.failure;
    if (was.version !== this.state.version) return 'stale' as const;
    const { value, ttl, lowered } = next;
    this.state = { value, ttl, lowered, version: was.version + 1 };
    return 'done' as const;
  }

  async served() {
    const { value, ttl } = this.state;
    return [{ server: 'memory', value, ttl, authoritative: true }];
  }
}

const consumer = (name: string, record: CnameRecord<number>): Consumer => ({
  account: null,
  switch: new CnameSwitch(record, {
    consumer: name,
    name: `${name}.example`,
    from: 'old.example',
    to: 'new.example',
    ttl: 30,
  }),
});
const file: Consumer = {
  account: null,
  switch: createFileSwitch({
    consumer: 'shop',
    path: 'x',
    from: 'a',
    to: 'b',
    allowedDirectories: [],
  }),
};

describe('TTLs around the switch', () => {
  test('each record’s is lowered, waited for as long as it was, and put back; files have none', async () => {
    const records = [new Memory(300), new Memory(20), new Memory(60)];
    const names = ['shop', 'mail', 'shop'];
    const consumers = [file, ...records.map((record, i) => consumer(names[i] ?? '', record))];
    const lowered = await lowerTtls(consumers, signal);
    expect(lowered.map((each) => [each.consumer, each.formerTtl])).toEqual([
      ['shop', 300],
      ['mail', 20],
      ['shop', 60],
    ]);
    const waits = lowered.map(
      ({ readyAt }) => Math.ceil((Date.parse(readyAt) - Date.now() - 500) / 1e3) + 0,
    );
    expect(waits).toEqual([300, 0, 60]);
    expect(records.map(({ state }) => state.ttl)).toEqual([30, 20, 30]);

    const again = await lowerTtls(consumers, signal);
    expect(again.map(({ formerTtl }) => formerTtl)).toEqual([300, 20, 60]);

    expect(await restoreTtls(consumers, lowered, signal)).toHaveLength(3);
    expect(records.map(({ state }) => [state.ttl, state.lowered])).toEqual([
      [300, null],
      [20, null],
      [60, null],
    ]);
  });

  test('what cannot be put back is said, and the others are put back', async () => {
    const [stuck, free] = [new Memory(300), new Memory(60)];
    const consumers = [consumer('stuck', stuck), consumer('free', free)];
    const lowered = await lowerTtls(consumers, signal);
    stuck.failure = new SkyferryFailure('CLOUD_DENIED', 'change record: denied');
    expect(await restoreTtls(consumers, lowered, signal)).toEqual([
      "the TTL of stuck's record could not be put back to 300 s: change record: denied",
      "the TTL of free's record is 60 s again",
    ]);
    expect(free.state.ttl).toBe(60);
  });

  test('what was lowered before lowering was broken off is put back by its mark', async () => {
    const [first, second, untouched] = [new Memory(300), new Memory(60), new Memory(40)];
    const consumers = [
      consumer('first', first),
      consumer('second', second),
      consumer('untouched', untouched),
    ];
    second.failure = new SkyferryFailure('CLOUD_DENIED', 'change record: denied');
    await expect(lowerTtls(consumers, signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(await restoreTtls(consumers, null, signal)).toEqual([
      "the TTL of first's record is 300 s again",
    ]);
    expect([first, second, untouched].map(({ state }) => [state.ttl, state.lowered])).toEqual([
      [300, null],
      [60, null],
      [40, null],
    ]);
  });
});
