import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/mysql/connection.ts';
import { openConnection } from '../../src/mysql/connection.ts';
import { GtidSet } from '../../src/mysql/gtid-set.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';

const uuids = [
  '00000000-0000-0000-0000-000000000001',
  '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
] as const;
const tags = ['', 'a', 'a_long_tag_of_thirty_two_letters'] as const;

/** Small numbers, so that sets meet, touch and overlap. */
const gtids = fc.array(
  fc.tuple(fc.constantFrom(...uuids), fc.constantFrom(...tags), fc.integer({ min: 1, max: 12 })),
  { maxLength: 30 },
);
const sets = gtids.map((list) =>
  list.reduce((set, [uuid, tag, number]) => set.add(uuid, tag, number), GtidSet.empty),
);

describe('laws', () => {
  test('a set is its members, in whatever order they came', () => {
    fc.assert(
      fc.property(gtids, (list) => {
        const set = GtidSet.parse(
          list.map(([uuid, tag, n]) => `${uuid}${tag === '' ? '' : `:${tag}`}:${n}`).join(','),
        );
        const added = list
          .toReversed()
          .reduce((s, [uuid, tag, n]) => s.add(uuid, tag, n), GtidSet.empty);
        expect(added.toString()).toBe(set.toString());
        const members = new Set(list.map((gtid) => gtid.join(':')));
        expect(set.size()).toBe(BigInt(members.size));
        for (const uuid of uuids) {
          for (const tag of tags) {
            for (let n = 1; n <= 13; n++) {
              expect(set.has(uuid, tag, n)).toBe(members.has([uuid, tag, n].join(':')));
            }
          }
        }
      }),
    );
  });

  test('union, subtract and contains fit together', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const both = a.union(b);
        expect(both.contains(a) && both.contains(b)).toBe(true);
        expect(both.equals(b.union(a))).toBe(true);
        const left = a.subtract(b);
        expect(left.union(b).equals(both)).toBe(true);
        expect(left.subtract(b).equals(left)).toBe(true);
        expect(a.contains(b)).toBe(b.subtract(a).isEmpty());
        expect(a.size() + b.size() - both.size()).toBe(a.size() - left.size());
      }),
    );
  });

  test('text and wire layout lead back to the same set', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(GtidSet.parse(set.toString()).toString()).toBe(set.toString());
        expect(GtidSet.decode(set.encode()).toString()).toBe(set.toString());
      }),
    );
  });
});

describe('against the server', () => {
  let server: TestMysql;
  let connection: Connection;

  beforeAll(async () => {
    server = await startMysql();
    connection = await openConnection(server.endpoint);
  });

  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  test('GTID_SUBTRACT, GTID_SUBSET and the spelling agree', async () => {
    const oracle = async (a: string, b: string) => {
      const [row] = await connection.query<{ minus: string; subset: string }>(
        'SELECT GTID_SUBTRACT(?, ?) AS minus, GTID_SUBSET(?, ?) AS subset',
        [a, b, b, a],
      );
      return { minus: row?.minus.replaceAll('\n', ''), contains: Number(row?.subset) === 1 };
    };
    await fc.assert(
      fc.asyncProperty(sets, sets, async (a, b) => {
        expect({ minus: a.subtract(b).toString(), contains: a.contains(b) }).toEqual(
          await oracle(a.toString(), b.toString()),
        );
        const both = a.union(b);
        expect(await oracle(both.toString(), a.toString())).toMatchObject({ contains: true });
      }),
      { numRuns: 200 },
    );
  });

  test('whatever the server understands is understood', async () => {
    const texts = [
      '',
      ' 3E11FA47-71CA-11E1-9E33-C80AA9429562 : 1 - 5 : 7 ,\n3e11fa47-71ca-11e1-9e33-c80aa9429562:6',
      '3e11fa47-71ca-11e1-9e33-c80aa9429562:TAG:1-2:other:3:tag:9',
      '3e11fa47-71ca-11e1-9e33-c80aa9429562:9223372036854775805-9223372036854775806',
      ',3e11fa47-71ca-11e1-9e33-c80aa9429562:5-3:1,,',
    ];
    for (const text of texts) {
      const [row] = await connection.query<{ set: string }>(
        "SELECT GTID_SUBTRACT(?, '') AS `set`",
        [text],
      );
      expect(GtidSet.parse(text).toString()).toBe(row?.set.replaceAll('\n', ''));
    }
  });
});

test('what is not a GTID set is refused', () => {
  const uuid = uuids[1];
  for (const text of [uuid, `${uuid}:`, `${uuid}:x-1`, `${uuid}:0`, 'x:1', `${uuid}:1:1tag:2`]) {
    expect(() => GtidSet.parse(text)).toThrow(RangeError);
  }
  expect(() => GtidSet.decode(Buffer.alloc(9))).not.toThrow();
  expect(() => GtidSet.decode(Buffer.alloc(16, 2))).toThrow(RangeError);
});
