// Makes `npm run demo` and `npm test` work as the first command in a fresh clone: installs the locked
// packages and builds when that is needed, then runs the command. Plain JavaScript, no packages.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [task, ...args] = process.argv.slice(2);
const stamp = 'node_modules/.skyferry-lock';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Skyferry needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(2);
}

/** @param {string} command @param {string[]} parameters */
function run(command, parameters, env = {}) {
  const result = spawnSync(command, parameters, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function install() {
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing the locked packages …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

function build() {
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
}

const node = (file, ...parameters) => run(process.execPath, [file, ...parameters]);

/** The checks in the order that fails fastest. */
function check() {
  node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.');
  node('node_modules/typescript/bin/tsc', '-p', '.');
  node('node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings');
  node('node_modules/knip/bin/knip.js');
}

function test(...parameters) {
  node('node_modules/vitest/vitest.mjs', 'run', ...parameters);
}

const tasks = {
  build,
  check,
  test() {
    if (args.length === 0) check();
    build();
    test(...args);
  },
  'test:soak'() {
    build();
    test('--config', 'vitest.soak.config.ts', ...args);
  },
  'test:cloud'() {
    const fakes = args.includes('--fakes');
    if (fakes) process.env['SKYFERRY_TEST_CLOUD'] = 'fakes';
    test('--config', 'vitest.cloud.config.ts', ...args.filter((arg) => arg !== '--fakes'));
  },
  bench() {
    node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json');
    node('dist-bench/bench/main.js', ...args);
  },
  'bench:engines'() {
    node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json');
    node('dist-bench/bench/engines/main.js', ...args);
  },
  skyferry() {
    build();
    node('dist/cli/main.js', ...args);
  },
  demo() {
    build();
    node('dist/cli/main.js', 'demo', ...args);
  },
  'demo:clouds'() {
    build();
    node('dist/cli/main.js', 'demo', '--clouds', ...args);
  },
};

if (!Object.hasOwn(tasks, task ?? '')) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(tasks).join(' | ')}`);
  process.exit(2);
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
install();
tasks[task]();
