/** A table with every column type that MySQL can log, and statements that put the edges of each into it. */
export const everyType = {
  schema: 'types_here',
  create: `CREATE TABLE every_type (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    c_tiny TINYINT, c_utiny TINYINT UNSIGNED, c_bool BOOL,
    c_small SMALLINT, c_usmall SMALLINT UNSIGNED,
    c_medium MEDIUMINT, c_umedium MEDIUMINT UNSIGNED,
    c_int INT, c_uint INT UNSIGNED,
    c_big BIGINT, c_ubig BIGINT UNSIGNED,
    c_float FLOAT, c_double DOUBLE,
    c_decimal DECIMAL(65,30), c_decimal_small DECIMAL(5,2), c_decimal_whole DECIMAL(20,0),
    c_decimal_fraction DECIMAL(9,9),
    c_bit1 BIT(1), c_bit12 BIT(12), c_bit64 BIT(64),
    c_year YEAR, c_date DATE,
    c_time TIME, c_time1 TIME(1), c_time3 TIME(3), c_time6 TIME(6),
    c_datetime DATETIME, c_datetime2 DATETIME(2), c_datetime6 DATETIME(6),
    c_timestamp TIMESTAMP NULL, c_timestamp4 TIMESTAMP(4) NULL, c_timestamp6 TIMESTAMP(6) NULL,
    c_char CHAR(10), c_char_long CHAR(255), c_char_latin CHAR(20) CHARACTER SET latin1,
    c_varchar VARCHAR(60), c_varchar_long VARCHAR(2000), c_varchar_latin VARCHAR(200) CHARACTER SET latin1,
    c_varchar_utf16 VARCHAR(50) CHARACTER SET utf16, c_varchar_gbk VARCHAR(50) CHARACTER SET gbk,
    c_binary BINARY(16), c_varbinary VARBINARY(300),
    c_tinyblob TINYBLOB, c_blob BLOB, c_mediumblob MEDIUMBLOB, c_longblob LONGBLOB,
    c_tinytext TINYTEXT, c_text TEXT, c_mediumtext MEDIUMTEXT, c_longtext LONGTEXT,
    c_enum ENUM('one','two','drei ü'), c_enum_big ENUM(${labels(300)}),
    c_set SET('a','b','c'), c_set_big SET(${labels(64)}),
    c_json JSON, c_point POINT SRID 4326, c_geometry GEOMETRY, c_vector VECTOR(3),
    c_stored INT GENERATED ALWAYS AS (c_int + 1) STORED,
    c_virtual INT GENERATED ALWAYS AS (c_small + 1) VIRTUAL,
    c_hidden INT INVISIBLE,
    KEY by_expression ((c_small * 2))
  ) CHARACTER SET utf8mb4`,
};

const columns = [
  'id',
  ...'c_tiny c_utiny c_bool c_small c_usmall c_medium c_umedium c_int c_uint c_big c_ubig'.split(
    ' ',
  ),
  ...'c_float c_double c_decimal c_decimal_small c_decimal_whole c_decimal_fraction'.split(' '),
  ...'c_bit1 c_bit12 c_bit64 c_year c_date c_time c_time1 c_time3 c_time6'.split(' '),
  ...'c_datetime c_datetime2 c_datetime6 c_timestamp c_timestamp4 c_timestamp6'.split(' '),
  ...'c_char c_char_long c_char_latin c_varchar c_varchar_long c_varchar_latin'.split(' '),
  ...'c_varchar_utf16 c_varchar_gbk c_binary c_varbinary'.split(' '),
  ...'c_tinyblob c_blob c_mediumblob c_longblob c_tinytext c_text c_mediumtext c_longtext'.split(
    ' ',
  ),
  ...'c_enum c_enum_big c_set c_set_big c_json c_point c_geometry c_vector c_hidden'.split(' '),
];

const largest = `18446744073709551615,
  127, 255, 1, 32767, 65535, 8388607, 16777215, 2147483647 - 1, 4294967295, 9223372036854775807, 18446744073709551615,
  16777216.0, 1.7976931348623157e308,
  99999999999999999999999999999999999.999999999999999999999999999999, 999.99, 99999999999999999999, 0.999999999,
  b'1', b'101010101010', 0xFFFFFFFFFFFFFFFF, 2155, '9999-12-31',
  '838:59:59', '838:59:58.9', '12:34:56.789', '838:59:58.999999',
  '9999-12-31 23:59:59', '2024-02-29 12:34:56.78', '9999-12-31 23:59:59.999999',
  '2038-01-19 03:14:07', '2038-01-19 03:14:07.4999', '2024-03-31 02:30:00.123456',
  'char', REPEAT('é', 255), 'latin ü', 'varchar 😀', REPEAT('long ', 400), 'größe',
  'utf16 😀', '中文', x'00010203040506070809000000000000', REPEAT(x'00FF', 150),
  REPEAT('t', 255), REPEAT('b', 65535), REPEAT('m', 70000), REPEAT('l', 100000),
  REPEAT('t', 255), REPEAT('b', 65535), REPEAT('m', 70000), REPEAT('ü', 50000),
  'drei ü', 'm300', 'a,b,c', 'm1,m33,m64',
  JSON_OBJECT('big', 9007199254740993, 'd', CAST(1.10 AS DECIMAL(5,2)), 't', CAST('12:00:00.5' AS TIME(6)), 'x', x'00FF'),
  ST_SRID(POINT(1.5, -2.5), 4326), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), STRING_TO_VECTOR('[1.5,-2,3e10]'), 7`;

const smallest = `0,
  -128, 0, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0,
  -1.17549435e-38, -2.2250738585072014e-308,
  -99999999999999999999999999999999999.000000000000000000000000000001, -0.01, -1, -0.000000001,
  b'0', b'0', 0, 0, '0000-00-00',
  '-838:59:59', '-00:00:00.1', '-12:34:56.789', '-00:00:00.000001',
  '0000-00-00 00:00:00', '1000-01-01 00:00:00', '2024-00-00 00:00:00',
  '1970-01-01 00:00:01', '0000-00-00 00:00:00', '1970-01-01 00:00:01.000001',
  '', '', '', '', '', '', '', '', x'00', '', '', '', '', '', '', '', '', '',
  '', 'm1', '', '',
  'null', ST_SRID(POINT(0, 0), 4326), ST_GeomFromText('POINT(0 0)'), STRING_TO_VECTOR('[0,0,0]'), NULL`;

export const session = "SET SESSION sql_mode = '', time_zone = '+00:00'";

/** In order: rows inserted, changed (also their key), deleted, in one and in several transactions. */
export const changes = [
  `INSERT INTO every_type (${columns.join(',')}) VALUES (${largest}), (${smallest})`,
  'INSERT INTO every_type (id) VALUES (1), (2), (3), (4)',
  `INSERT INTO every_type (id, c_float, c_double, c_decimal, c_json)
   VALUES (10, 16777217, 0.1, 0.1, '{"a":[1,2.5,true,null,"x"]}'), (11, 1e-40, -1e-7, -123456789.123456789, '[]')`,
  "UPDATE every_type SET c_varchar = CONCAT('changed ', id), c_int = id WHERE id IN (1, 2)",
  'UPDATE every_type SET id = 300 WHERE id = 3',
  "UPDATE every_type SET c_json = JSON_SET(c_json, '$.a', 5) WHERE id = 10",
  'DELETE FROM every_type WHERE id IN (2, 4)',
  'BEGIN',
  'INSERT INTO every_type (id, c_varchar) VALUES (20, REPEAT("x", 20))',
  'SAVEPOINT here',
  'INSERT INTO every_type (id) VALUES (21)',
  'ROLLBACK TO here',
  'DELETE FROM every_type WHERE id = 1',
  'INSERT INTO every_type (id, c_varchar) VALUES (1, "again")',
  'COMMIT',
];

function labels(count: number): string {
  return Array.from({ length: count }, (_, i) => `'m${i + 1}'`).join(',');
}
