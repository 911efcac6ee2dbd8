import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readConnectionFile } from '../../../src/sandbox/writer/connection-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-connection-'));
  await writeFile(join(folder, 'password'), 'p:w/d\n');
  await writeFile(join(folder, 'ca.pem'), 'PEM');
  return () => rm(folder, { recursive: true, force: true });
});

async function read(text: string, files: { passwordFile?: string; caFile?: string } = {}) {
  const connectionFile = join(folder, 'connection');
  await writeFile(connectionFile, text);
  return readConnectionFile({ connectionFile, ...files });
}

test('a URL with the password in another file', async () => {
  const files = { passwordFile: join(folder, 'password'), caFile: join(folder, 'ca.pem') };
  expect(await read('mysql://app%40x@db.example:3307/brokerage\n', files)).toEqual({
    host: 'db.example',
    port: 3307,
    user: 'app@x',
    password: 'p:w/d',
    tls: { mode: 'verify-identity', ca: 'PEM' },
  });
});

test('JSON that names its files', async () => {
  const text = JSON.stringify({ host: 'db', user: 'app', passwordFile: join(folder, 'password') });
  expect(await read(text)).toEqual({
    host: 'db',
    port: 3306,
    user: 'app',
    password: 'p:w/d',
    tls: { mode: 'disabled' },
  });
});

test.each(['', 'db:3306', 'http://app@db', '{"host":"db"', 'mysql://:secret@db'])(
  'refuses %j without repeating it',
  async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(read(text)).rejects.not.toThrow(/secret/);
  },
);
