import { expect, test } from 'vitest';
import { parseConfigText } from '../../src/config/load.ts';
import { configTemplate } from '../../src/config/template.ts';

const good = `name: shop
source: {host: db.example, user: mover, password: "\${env:SRC}"}
target: {host: new.example, user: mover, password: "\${file:tgt}"}
schemas: [shop]
`;

test('a short file is completed with every default', () => {
  const config = parseConfigText('skyferry.yaml', good);
  expect(config.source).toMatchObject({ kind: 'mysql', port: 3306 });
  expect(config.source.tls.mode).toBe('verify-identity');
  expect(config.cutover).toMatchObject({ lagThreshold: '5s', downtimeBudget: '60s', switches: [] });
  expect(config.source.password).toBe('${env:SRC}');
});

test('all errors come at once, each with its line and column, and no secret is repeated', () => {
  const bad = `name: Bad Name
source:
  host: a
  port: 99999
  user: x
  password: hunter2
  extra: 1
target: {host: a, port: 99999, user: u, password: "\${env:X}"}
schemas: [mysql, shop, shop]
cutover:
  window: {from: "25:00", to: "03:00", timeZone: Nowhere/X}
__proto__: {a: 1}
`;
  expect(() => parseConfigText('skyferry.yaml', bad)).toThrowErrorMatchingInlineSnapshot(`
    [SkyferryFailure: skyferry.yaml is not valid, 11 errors:
      skyferry.yaml:1:1  name: must be 1-63 of a-z, 0-9 and -, beginning with a letter or digit
      skyferry.yaml:4:3  source.port: Too big: expected number to be <=65535
      skyferry.yaml:6:3  source.password: must be a reference, \${env:NAME}, \${file:path} or \${aws-secret:name#key}: secrets are never written here
      skyferry.yaml:7:3  source.extra: unknown key
      skyferry.yaml:8:10  target.host: is the same server as the source
      skyferry.yaml:8:19  target.port: Too big: expected number to be <=65535
      skyferry.yaml:9:11  schemas[0]: mysql is not an application's schema
      skyferry.yaml:9:24  schemas[2]: shop is named twice
      skyferry.yaml:11:12  cutover.window.from: must be a time such as 02:00
      skyferry.yaml:11:40  cutover.window.timeZone: is not a time zone, e.g. Europe/Berlin
      skyferry.yaml:12:1  __proto__: unknown key]
  `);
});

test('what is missing and what is none of a few is said so, without the words of the library', () => {
  const bad = `name: 7
source: {kind: oracle, host: a}
target: {host: b, user: u, password: "\${env:X}"}
engine: builtin
cutover: {switches: [{consumer: a, kind: file, path: f, to: "b:1"}]}
`;
  expect(() => parseConfigText('f.yaml', bad)).toThrowErrorMatchingInlineSnapshot(`
    [SkyferryFailure: f.yaml is not valid, 5 errors:
      f.yaml:1:1  name: expected string, received number
      f.yaml:1:1  schemas: is missing
      f.yaml:2:10  source.kind: must be one of mysql, rds-mysql, aurora-mysql
      f.yaml:4:1  engine: expected one of "built-in"|"native"|"azure-dms"|"auto"
      f.yaml:5:22  cutover.switches[0].from: is missing]
  `);
});

test('a key given twice and broken YAML are errors with a place', () => {
  expect(() => parseConfigText('f.yaml', 'name: a\nname: b\n')).toThrowError(/f\.yaml:2:1/);
  expect(() => parseConfigText('f.yaml', 'name: [a\n')).toThrowError(/f\.yaml:\d+:\d+/);
});

test('an alias that leads nowhere, or to very much, is an error with a place', () => {
  const anywhere = `${good}cutover: {switches: [{consumer: *all, kind: command, command: a}]}\n`;
  expect(() => parseConfigText('f.yaml', anywhere)).toThrowError(
    /^f\.yaml is not valid, 1 error:\n {2}f\.yaml:5:33 .*\*/,
  );
  const tenfold = (of: string, from: string) =>
    `${of}: &${of} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]\n`;
  const much = `a: &a [1]\n${tenfold('b', 'a')}${tenfold('c', 'b')}${tenfold('d', 'c')}${tenfold('e', 'd')}`;
  expect(() => parseConfigText('f.yaml', much)).toThrowError(/f\.yaml:1:1 .*alias/);
});

test.each(['mysql://app:hunter2@db:3306', 'app:hunter2@db', 'host=db;Password = hunter2'])(
  'credentials in the texts of a file switch are refused: %s',
  (text) => {
    const config = (from: string, to: string) =>
      `${good}cutover: {switches: [{consumer: a, kind: file, path: a.env, from: '${from}', to: '${to}'}]}\n`;
    const refused = /host:port only: credentials never travel/;
    expect(() => parseConfigText('f.yaml', config(text, 'new:3306'))).toThrowError(refused);
    expect(() => parseConfigText('f.yaml', config('old:3306', text))).toThrowError(refused);
    expect(() => parseConfigText('f.yaml', config(text, 'new:3306'))).not.toThrowError(/hunter2/);
    parseConfigText('f.yaml', config('mysql://old:3306', 'mysql://new:3306'));
  },
);

test('a budget or an approval that no timer can hold is refused', () => {
  const config = (cutover: string) => parseConfigText('f.yaml', `${good}cutover: ${cutover}\n`);
  config('{downtimeBudget: 30m, approval: {expiresAfter: 24d}}');
  expect(() => config('{downtimeBudget: 31m}')).toThrowError(/downtimeBudget: must be at most 30m/);
  expect(() => config('{approval: {expiresAfter: 25d}}')).toThrowError(/must be at most 24d/);
});

test('the template of `skyferry init` is valid', () => {
  expect(parseConfigText('skyferry.yaml', configTemplate).name).toBe('shop');
});
