import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSwitch } from '../../../src/cutover/switches/file.ts';

const signal = new AbortController().signal;
let folder: string;
let allowed: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-file-switch-'));
  allowed = join(folder, 'allowed');
  await mkdir(allowed);
  path = join(allowed, 'app.env');
});

afterEach(async () => await rm(folder, { recursive: true }));

const make = (from = 'db-old:3306', to = 'db-new:3307', at = path) =>
  createFileSwitch({ consumer: 'app', path: at, from, to, allowedDirectories: [allowed] });
const read = async (): Promise<string> => await readFile(path, 'latin1');

describe('the switch by file', () => {
  it('looks for a relative path in each allowed directory, and nowhere else', async () => {
    const second = join(folder, 'second');
    await mkdir(second);
    await writeFile(join(second, 'app.env'), 'db-old:3306');
    const at = (relativePath: string) =>
      createFileSwitch({
        consumer: 'app',
        path: relativePath,
        from: 'db-old:3306',
        to: 'db-new:3307',
        allowedDirectories: [allowed, second],
      });
    await at('app.env').do(signal);
    expect(await readFile(join(second, 'app.env'), 'latin1')).toBe('db-new:3307');
    await writeFile(join(folder, 'outside.env'), 'db-old:3306');
    for (const refused of ['../outside.env', 'package.json']) {
      await expect(at(refused).do(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    }
    await writeFile(path, 'db-old:3306');
    await at('app.env').do(signal);
    expect(await read()).toBe('db-new:3307');
  });

  it('replaces the endpoint, keeps every other byte and the mode, and undoes it', async () => {
    const text = 'A=\xff\xfe\nURL=mysql://u:p@db-old:3306/app\nRO=mysql://u:p@db-old:3306/app\n';
    await writeFile(path, text, 'latin1');
    await chmod(path, 0o640);
    const file = make();
    await file.precondition(signal);
    await file.do(signal);
    expect(await read()).toBe(text.replaceAll('db-old:3306', 'db-new:3307'));
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    await file.probe(signal);
    await file.do(signal);
    await file.undo(signal);
    await file.undo(signal);
    expect(await read()).toBe(text);
    expect(await readdir(allowed)).toEqual(['app.env']);
  });

  it.each([
    ['somebody else’s endpoint', 'URL=elsewhere:3306'],
    ['the endpoint as a part of another', 'URL=my-db-old:3306 db-old:33060'],
    ['both endpoints', 'db-old:3306 db-new:3307'],
  ])('refuses a file with %s and leaves it alone', async (_what, text) => {
    await writeFile(path, text);
    const file = make();
    await expect(file.precondition(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await expect(file.do(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await expect(file.undo(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    expect(await read()).toBe(text);
  });

  it('tells endpoints apart that contain each other', async () => {
    await writeFile(path, 'url=db:3306');
    const longer = make('db:3306', 'db:3306?target=1');
    await longer.do(signal);
    await longer.do(signal);
    expect(await read()).toBe('url=db:3306?target=1');
    await longer.undo(signal);
    expect(await read()).toBe('url=db:3306');
  });

  it('refuses what lies outside its directories, also behind a link', async () => {
    const outside = join(folder, 'outside.env');
    await writeFile(outside, 'db-old:3306');
    await symlink(outside, path);
    for (const at of [outside, path, join(allowed, '..', 'outside.env')]) {
      await expect(make(undefined, undefined, at).do(signal)).rejects.toMatchObject({
        code: 'SWITCH_FAILED',
      });
    }
    expect(await readFile(outside, 'utf8')).toBe('db-old:3306');
  });

  it('clears away what a killed worker left beside the file', async () => {
    await writeFile(path, 'db-old:3306');
    await writeFile(join(allowed, '.app.env.skyferry-0123456789ab'), 'half');
    await make().do(signal);
    expect(await readdir(allowed)).toEqual(['app.env']);
  });
});
