import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** They do their work when they are loaded. */
const programs = ['cli/main.js', 'sandbox/writer/main.js', 'sandbox/clouds/main.js'];

test('every built module is found whole by Node itself, which is stricter than the tests’ loader', async () => {
  const sources = await readdir('src', { recursive: true });
  const files = sources
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, '.js'))
    // Workflows are loaded by Temporal's sandbox alone.
    .filter((file) => !file.startsWith('workflows/') && !programs.includes(file));
  expect(files.length).toBeGreaterThan(300);
  const load = `
    const broken = [];
    for (const file of process.argv.slice(1)) {
      await import(file).catch((error) => broken.push(file + ': ' + error.message));
    }
    console.log(JSON.stringify(broken));
    process.exit();`;
  const paths = files.map((file) => resolve('dist', file));
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', load, ...paths]);
  expect(JSON.parse(stdout)).toEqual([]);
});
