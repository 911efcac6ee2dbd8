import { expect, test } from 'vitest';
import {
  columnSignature,
  tailSignature,
  withoutStorageOptions,
} from '../../src/schema/definition-text.ts';

test('where files lie and how they are encrypted stays behind, what only looks like it does not', () => {
  const tail =
    "/*!50100 TABLESPACE `fast` */ ENGINE=InnoDB COMMENT='DATA DIRECTORY=''/x''' DATA DIRECTORY='/mnt/a b/' /*!80016 ENCRYPTION='Y' */\n" +
    "/*!50100 PARTITION BY HASH (`TABLESPACE`) (PARTITION p0 INDEX DIRECTORY = '/i' TABLESPACE = `t` ENGINE = InnoDB) */";
  expect(withoutStorageOptions(tail).replaceAll(/ +/g, ' ')).toBe(
    "/*!50100 */ ENGINE=InnoDB COMMENT='DATA DIRECTORY=''/x''' /*!80016 */\n" +
      '/*!50100 PARTITION BY HASH (`TABLESPACE`) (PARTITION p0 ENGINE = InnoDB) */',
  );
});

test('definitions are the same whichever version prints them, and only then', () => {
  const same = [
    ['`a` int(11) unsigned NOT NULL', '`a` int unsigned NOT NULL'],
    [
      "`a` varchar(3) CHARACTER SET utf8 COLLATE utf8_bin DEFAULT 'int(3)'",
      "`a` varchar(3) COLLATE utf8mb3_bin DEFAULT 'int(3)'",
    ],
    ['`a` int /*!80023 INVISIBLE */', '`a` int INVISIBLE'],
  ] as const;
  for (const [a, b] of same) expect(columnSignature(a)).toBe(columnSignature(b));
  const different = [
    ['`a` tinyint(1)', '`a` tinyint'],
    ['`a` int(4) unsigned zerofill', '`a` int(5) unsigned zerofill'],
    ["`a` int DEFAULT '1'", "`a` int DEFAULT '2'"],
    [
      '`a` int GENERATED ALWAYS AS ((`b` collate x)) VIRTUAL',
      '`a` int GENERATED ALWAYS AS ((`b` collate y)) VIRTUAL',
    ],
  ] as const;
  for (const [a, b] of different) expect(columnSignature(a)).not.toBe(columnSignature(b));
  expect(tailSignature(' ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8')).toBe(
    tailSignature(' ENGINE=InnoDB DEFAULT CHARSET=utf8mb3'),
  );
  expect(tailSignature(" ENGINE=InnoDB COMMENT='a'")).not.toBe(
    tailSignature(" ENGINE=InnoDB COMMENT='b'"),
  );
});
