import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '../../src/failures.ts';
import { diagnose } from '../../src/sandbox/resolver/diagnose.ts';
import { mysqldKind } from '../../src/sandbox/resolver/mysqld.ts';
import type { Location, ProgramKind, Provider } from '../../src/sandbox/resolver/program.ts';
import { Unavailable } from '../../src/sandbox/resolver/program.ts';
import { resolveMysqld, resolveProgram } from '../../src/sandbox/resolver/resolve.ts';
import { isAtLeast } from '../../src/sandbox/resolver/version.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-resolver-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that says `output`, whatever it is asked. */
async function script(name: string, output: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\ncat <<'END'\n${output}\nEND\n`);
  await chmod(path, 0o755);
  return path;
}

const helpText = '  --gtid-mode=name\n  --innodb-redo-log-capacity=#\n  --require-secure-transport';

/** An environment in which nothing is installed and nothing can be fetched. */
const bare = () => ({
  PATH: join(folder, 'bin'),
  HOME: folder,
  XDG_CACHE_HOME: join(folder, 'cache'),
});

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => expect.fail('it was found'),
    (reason: unknown) => reason,
  );
  if (!isFailure(error, 'PROGRAM_MISSING')) throw error;
  return error.message;
}

describe('the order in which a program is looked for', () => {
  const taken: string[] = [];
  const provider = (name: string, works: boolean): Provider => ({
    name,
    check: async () => 'would try',
    provide: async () => {
      taken.push(name);
      if (!works) throw new Unavailable(`${name} does not work`);
      return at(name);
    },
  });
  const at = (where: string): Location => ({ where, command: () => [where] });
  const kind = (further: Partial<ProgramKind> = {}): ProgramKind => ({
    name: 'mysqld',
    variable: 'THE_PROGRAM',
    executable: 'program',
    furtherFolders: [],
    providers: [provider('first', false), provider('second', true), provider('third', true)],
    locate: async (path) => at(path),
    cached: async () => [at('cached')],
    probe: async ({ where }) => {
      if (where.includes('old')) throw new Unavailable(`${where} is too old`);
      return { version: '1.0.0', flags: new Set<string>() };
    },
    ...further,
  });
  const resolve = (of: ProgramKind, env: NodeJS.ProcessEnv = {}) =>
    resolveProgram(of, { env: { ...bare(), ...env }, progress: () => {} });
  beforeEach(() => taken.splice(0));

  it('begins with the variable, then PATH, then the cache', async () => {
    await script('bin/program', '');
    expect(await resolve(kind(), { THE_PROGRAM: '/given' })).toMatchObject({
      provider: 'environment',
      where: '/given',
    });
    expect(await resolve(kind())).toMatchObject({ provider: 'path' });
    await rm(join(folder, 'bin'), { recursive: true });
    expect(await resolve(kind())).toMatchObject({ provider: 'cache', where: 'cached' });
    expect(taken).toEqual([]);
  });

  it('takes what PATH has only when it is new enough', async () => {
    await script('bin/program', '');
    const picky = kind({
      probe: async ({ where }) => {
        if (where.startsWith(folder)) throw new Unavailable('too old');
        return { version: '2.0.0', flags: new Set<string>() };
      },
    });
    expect(await resolve(picky)).toMatchObject({ provider: 'cache' });
  });

  it('asks the providers in turn and stops at the first that works', async () => {
    expect(await resolve(kind({ cached: async () => [] }))).toMatchObject({ provider: 'second' });
    expect(taken).toEqual(['first', 'second']);
  });

  it('does not go on when the variable is set and wrong', async () => {
    const message = await failureOf(resolve(kind(), { THE_PROGRAM: '/old' }));
    expect(message).toContain('environment: /old is too old');
    expect(message).not.toContain('cache');
  });
});

describe('mysqld', () => {
  it('is refused when it is too old, another product, or lacks a flag', async () => {
    const signal = new AbortController().signal;
    const probe = async (name: string, output: string) => {
      const path = await script(name, output);
      return mysqldKind.probe(await mysqldKind.locate(path), signal);
    };
    const good = `mysqld  Ver 8.4.6 for Linux on x86_64\n${helpText}`;
    await expect(probe('good', good)).resolves.toMatchObject({ version: '8.4.6' });
    await expect(probe('old', good.replace('8.4.6', '5.7.44'))).rejects.toThrow(/MySQL 5\.7\.44/);
    await expect(probe('maria', `Ver 10.11.6-MariaDB\n${helpText}`)).rejects.toThrow(/MariaDB/);
    await expect(probe('less', good.replace('--gtid-mode=name', ''))).rejects.toThrow(
      /--gtid-mode/,
    );
    await expect(probe('broken', 'Segmentation fault')).rejects.toThrow(/does not run/);
  });

  it('names native foreign keys when the build knows the flag', async () => {
    const path = await script(
      'nine',
      `mysqld  Ver 9.7.4-2 for Linux\n${helpText}\n  --innodb-native-foreign-keys`,
    );
    const program = await resolveMysqld({ env: { ...bare(), SKYFERRY_MYSQLD: path } });
    expect(program).toMatchObject({ provider: 'environment', version: '9.7.4', where: path });
    expect([...program.flags]).toEqual(['innodb-native-foreign-keys']);
  });

  it('missing everywhere is one error that lists all that was tried, and why it failed', async () => {
    await script('bin/mysqld', 'mysqld  Ver 5.5.62 for Linux');
    const message = await failureOf(resolveMysqld({ env: bare(), progress: () => {} }));
    expect(message.split('\n').slice(1)).toEqual([
      '  - environment: SKYFERRY_MYSQLD is not set',
      expect.stringMatching(/ {2}- path: .*MySQL 5\.5\.62; 8\.0\.30 or later is needed/),
      '  - cache: nothing there',
      expect.stringMatching(/ {2}- debian-packages: apt-get does not run here/),
      expect.stringMatching(/ {2}- docker: no engine answers/),
    ]);
  });

  it('is diagnosed without being fetched', async () => {
    const mysqld = (await diagnose({ env: bare() })).find((d) => d.program === 'mysqld');
    expect(mysqld?.candidates.map(({ provider, outcome }) => `${provider} ${outcome}`)).toEqual([
      'environment unavailable',
      'path unavailable',
      'cache unavailable',
      'debian-packages unavailable',
      'docker unavailable',
    ]);
    expect(mysqld?.candidates.find((c) => c.provider === 'docker')?.neverRun).toBeDefined();
  });
});

it('compares versions by number', () => {
  expect(isAtLeast('8.0.30', '8.0.30')).toBe(true);
  expect(isAtLeast('8.0.4', '8.0.30')).toBe(false);
  expect(isAtLeast('10.0', '9.9.9')).toBe(true);
  expect(isAtLeast('8', '8.0.30')).toBe(false);
});
