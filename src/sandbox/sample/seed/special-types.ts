import type { Random } from './random.ts';
import type { Seeder, SeedValue } from './seeder.ts';
import type { Sizes } from './sizes.ts';
import { awkwardBytes } from './trading.ts';

/** Needs a session without a strict sql_mode: zero dates and the empty enum. */
export async function seedSpecialTypes(seeder: Seeder): Promise<void> {
  const { sizes } = seeder;
  const columns = Object.keys(edgeValues);
  await seeder.insert(
    ['batch', 'every_type'],
    ['id', ...columns, 'hidden'],
    everyType(sizes, seeder.random('every-type')),
  );
  await seeder.insert(
    ['batch', 'text_by_charset'],
    ['code', 'in_latin1', 'in_utf8mb3', 'in_utf16', 'in_gbk', 'in_0900', 'in_0900_cs', 'in_general', 'in_bin'], // prettier-ignore
    texts(sizes, seeder.random('texts')),
  );
  await seeder.insert(
    ['batch', 'branch'],
    ['id', 'location', 'area'],
    branches(sizes, seeder.random('branch')),
  );
  await seeder.insert(
    ['batch', 'odd`name'],
    ['k`ey', '100%'],
    ['plain', 'with `tick`', 'ünï', "it's", '%_\\'].map((key, i) => [key, i === 2 ? null : i]),
  );
  await seeder.insert(
    ['batch', 'legacy_account'],
    ['id', 'opened_on', 'closed_at', 'reviewed_on', 'grade'],
    [
      [1, '0000-00-00', '0000-00-00 00:00:00', null, 'A'],
      [2, '2020-00-00', '2020-01-00 10:00:00', '0000-00-00', 'B'],
      [3, '2019-05-17', '9999-12-31 23:59:59', '1000-01-01', { literal: '0' }],
    ],
  );
}

const hexLiteral = (hex: string) => ({ literal: `x'${hex}'` });
const number = (text: string) => ({ literal: text });

/** Each column's edges; rows take them in turn, so that each meets NULL, both ends and something between. */
export const edgeValues: Readonly<Record<string, readonly SeedValue[]>> = {
  a_tinyint: [-128, 127, 0, null],
  a_utinyint: [0, 255, null],
  a_smallint: [-32768, 32767, null],
  a_mediumint: [-8388608, 8388607, -1, null],
  a_umediumint: [0, 16777215, null],
  a_int: [-2147483648, 2147483647, null, 0],
  a_uint: [0, 4294967295, null],
  a_bigint: [-(2n ** 63n), 2n ** 63n - 1n, null, -1],
  a_ubigint: [0, 2n ** 64n - 1n, 2n ** 63n, null],
  a_decimal: ['-99999999999999999999.9999999999', '0.0000000001', '0', null, '12345678901234567890.0123456789'], // prettier-ignore
  a_wide_decimal: [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-0.${'0'.repeat(29)}1`, null, '1'],
  a_float: [number('16777217'), number('-0.0'), number('3.402823466e38'), number('1.17549435e-38'), number('0.1'), null, number('1e-45')], // prettier-ignore
  a_double: [number('1.7976931348623157e308'), number('2.2250738585072014e-308'), number('-0.0e0'), number('0.1e0'), number('5e-324'), null, number('9007199254740993e0')], // prettier-ignore
  a_bit: [number("b'0'"), number("b'1'"), null],
  a_bit17: [number("b'0'"), number("b'11111111111111111'"), number("b'1010'"), null],
  a_bit64: [number('0'), hexLiteral('ffffffffffffffff'), hexLiteral('8000000000000001'), null],
  a_date: ['1000-01-01', '9999-12-31', null, '2024-02-29', '0000-00-00', '2021-00-10'],
  a_datetime: ['1000-01-01 00:00:00', '9999-12-31 23:59:59', null, '0000-00-00 00:00:00'],
  a_datetime6: ['2024-03-31 02:30:00.000001', '9999-12-31 23:59:59.499999', null],
  a_timestamp: ['1970-01-01 00:00:01', '2038-01-19 03:14:07', null, '0000-00-00 00:00:00'],
  a_timestamp3: ['2024-10-27 01:30:00.123', '1970-01-01 00:00:01.001', null],
  a_time: ['-838:59:59', '838:59:59', '00:00:00', null],
  a_time3: ['-00:00:00.001', '-838:59:58.999', '12:34:56.789', null],
  a_time6: ['-838:59:58.999999', '838:59:58.999999', '00:00:00.000001', null],
  a_year: [0, 1901, 2155, null],
  an_enum: ['low', 'high', "with 'quote'", number('0'), null],
  a_set: ['', 'm0', 'm0,m31,m32,m63', Array.from({ length: 64 }, (_, i) => `m${i}`).join(','), null],
  a_char: ['', 'a', 'ünï 漢字', 'trailing', null],
  a_binary: [hexLiteral('00'), hexLiteral('0102030000000000'), hexLiteral('ff'.repeat(16)), null],
  a_varbinary: ['', hexLiteral('090a0d5c00'), hexLiteral('5c4e'), hexLiteral('2000'), null],
  a_tinyblob: ['', hexLiteral('00'.repeat(255)), null],
  a_blob: ['', hexLiteral('0a'.repeat(3000)), null],
  a_longblob: [null, '', hexLiteral('5c09'.repeat(2000))],
  a_tinytext: ['', '\\N', 'NULL', null],
  a_longtext: [null, 'line\nbreak\ttab\\back', '🚀'.repeat(500)],
  a_json: [
    'null', 'true', '1', '1.0', '-0.0', '18446744073709551615', '-9223372036854775808', '1e300', '""', '[]', '{}', null,
    '"\\u0000\\t\\\\"', '{"b":1,"a":{"deep":[[[[1]]]]},"ключ":"値"}', '[9007199254740993,1.5,"x",null,false]',
    number(`CAST(x'00ff' AS JSON)`), number(`CAST(TIME'-12:00:00.5' AS JSON)`), number(`CAST(CAST('1.10' AS DECIMAL(5,2)) AS JSON)`),
    number(`CAST(TIMESTAMP'2024-02-29 23:59:59.000001' AS JSON)`), `{"long":"${'x'.repeat(70_000)}"}`,
  ],
}; // prettier-ignore

function* everyType(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  const lists = Object.entries(edgeValues);
  for (let i = 0; i < sizes.everyType; i += 1) {
    const values = lists.map(([column, list]) => {
      // The long document once in a while only.
      if (column === 'a_json' && i >= 100) return list[i % (list.length - 1)] ?? null;
      if (column === 'a_varbinary' && i % 7 === 6) return awkwardBytes(random);
      return list[i % list.length] ?? null;
    });
    yield [i - 5, ...values, i % 3 === 0 ? null : random.integer(0, 1000)];
  }
}

function* texts(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let i = 0; i < sizes.texts; i += 1) {
    const wide = random.pick([
      '🚀 wide',
      '𝔘nicode',
      'e\u0301 combined',
      'Straße',
      'ＦＵＬＬ',
      'plain ',
    ]);
    yield [
      `${random.pick(['Code', 'code', 'CÖDE'])} ${i}`,
      // The last holds UTF-8 bytes in a latin1 column, as many old applications do.
      random.pick<SeedValue>(['naïve', 'Ärger €', null, { literal: "_latin1 x'c3a46e6465'" }]),
      random.pick(['漢字', 'Привет', null, 'ünï']),
      random.pick(['🚀 surrogates', 'plain', null]),
      random.pick(['汉字', '人民币', null, 'ascii']),
      wide,
      wide,
      random.pick([wide, null]),
      random.pick(['tab\tnew\nline\\', "quote'd", wide, '']),
    ];
  }
}

function* branches(sizes: Sizes, random: Random): Iterable<SeedValue[]> {
  for (let id = 1; id <= sizes.branches; id += 1) {
    const latitude = random.integer(-89, 89);
    const longitude = random.integer(-179, 179);
    const area = random.pick([
      `ST_GeomFromText('POLYGON((0 0,0 ${id},${id} ${id},${id} 0,0 0))', 0)`,
      `ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1.5 2.5))', 0)`,
      `ST_GeomFromText('LINESTRING(10 20,11 21)', 4326)`,
      'NULL',
    ]);
    yield [
      id,
      { literal: `ST_SRID(POINT(${longitude}.25, ${latitude}.5), 4326)` },
      { literal: area },
    ];
  }
}
