import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSecretResolver } from '../../src/config/secrets.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skyferry-secrets-'));
  await mkdir(join(root, 'inside'));
  await writeFile(join(root, 'inside', 'password'), 'p4ss\n');
  await writeFile(join(root, 'outside'), 'other');
  await symlink(join(root, 'outside'), join(root, 'inside', 'link'));
});
afterAll(() => rm(root, { recursive: true }));

const resolver = () =>
  createSecretResolver({ secretsDirectory: join(root, 'inside'), env: { SET: 'v', EMPTY: '' } });

test('references become values', async () => {
  expect(await resolver().resolve('${env:SET}')).toBe('v');
  expect(await resolver().resolve('${file:password}')).toBe('p4ss');
});

test.each(['${file:../outside}', '${file:link}', '${file:/etc/hostname}', '${file:absent}'])(
  '%s is refused by name',
  async (reference) => {
    await expect(resolver().resolve(reference)).rejects.toMatchObject({
      code: 'SECRET_UNRESOLVED',
      message: expect.stringContaining(reference) as string,
    });
  },
);

test('an unset or empty variable, and a worker without a directory', async () => {
  await expect(resolver().resolve('${env:EMPTY}')).rejects.toThrow('EMPTY');
  const none = createSecretResolver({ secretsDirectory: undefined, env: {} });
  await expect(none.resolve('${file:password}')).rejects.toMatchObject({
    detail: { next: expect.stringContaining('--secrets') as string },
  });
});

test('a value in place of a reference is refused and not repeated', async () => {
  await expect(resolver().resolve('hunter2')).rejects.not.toThrow('hunter2');
});
