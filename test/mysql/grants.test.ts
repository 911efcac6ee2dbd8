import { expect, test } from 'vitest';
import { Grants } from '../../src/mysql/grants.ts';

const grants = Grants.parse([
  'GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `src`@`%`',
  'GRANT SHOW_ROUTINE,XA_RECOVER_ADMIN ON *.* TO `src`@`%`',
  'GRANT SELECT, SHOW VIEW ON `shop`.* TO `src`@`%`',
  'GRANT SELECT, TRIGGER ON `sh\\_p%`.* TO `src`@`%`',
  'GRANT SELECT (`a`, `b`), INSERT ON `other`.`t` TO `src`@`%`',
  'GRANT EVENT ON `we``ird`.* TO `src`@`%`',
  'GRANT EVENT ON `up TO date`.* TO `src`@`%`',
  'GRANT EXECUTE ON PROCEDURE `mysql`.`rds_show_configuration` TO `src`@`%`',
  'GRANT `reader`@`%` TO `src`@`%`',
]);

test('global, dynamic and schema-wide privileges are told apart', () => {
  expect(grants.global('REPLICATION SLAVE')).toBe(true);
  expect(grants.global('SHOW_ROUTINE')).toBe(true);
  expect(grants.global('SELECT')).toBe(false);
  expect(grants.onSchema('SHOW VIEW', 'shop')).toBe(true);
  expect(grants.onSchema('TRIGGER', 'shop')).toBe(false);
  expect(grants.onSchema('EVENT', 'we`ird')).toBe(true);
  expect(grants.onSchema('EVENT', 'up TO date')).toBe(true);
});

test('a pattern matches as LIKE does, an escaped underscore only itself', () => {
  expect(grants.onSchema('TRIGGER', 'sh_p2')).toBe(true);
  expect(grants.onSchema('TRIGGER', 'shop2')).toBe(false);
});

test('grants on single tables and columns do not count for a schema', () => {
  expect(grants.onSchema('SELECT', 'other')).toBe(false);
  expect(grants.onSchema('INSERT', 'other')).toBe(false);
});

test('procedures', () => {
  expect(grants.execute('mysql.rds_show_configuration')).toBe(true);
  expect(grants.execute('mysql.rds_set_configuration')).toBe(false);
});

test('ALL PRIVILEGES holds the static ones', () => {
  const root = Grants.parse(['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`']);
  expect(root.onSchema('SHOW VIEW', 'any')).toBe(true);
  expect(root.global('SYSTEM_VARIABLES_ADMIN')).toBe(false);
});

test('what is taken away from a schema again does not count there', () => {
  const partial = Grants.parse([
    'GRANT SELECT, INSERT, UPDATE ON *.* TO `src`@`%`',
    'REVOKE SELECT ON `my-db`.* FROM `src`@`%`',
    'REVOKE INSERT, UPDATE ON `shop`.* FROM `src`@`%`',
    'GRANT INSERT ON `shop`.* TO `src`@`%`',
  ]);
  expect(partial.onSchema('SELECT', 'my-db')).toBe(false);
  expect(partial.onSchema('SELECT', 'shop')).toBe(true);
  expect(partial.onSchema('UPDATE', 'shop')).toBe(false);
  expect(partial.onSchema('INSERT', 'shop')).toBe(true);
});

test('a session with ANSI_QUOTES prints names in double quotes', () => {
  const ansi = Grants.parse([
    'GRANT SELECT ON "sh""op".* TO "src"@"%"',
    'GRANT EXECUTE ON PROCEDURE "mysql"."rds_kill" TO "src"@"%"',
  ]);
  expect(ansi.onSchema('SELECT', 'sh"op')).toBe(true);
  expect(ansi.execute('mysql.rds_kill')).toBe(true);
});
