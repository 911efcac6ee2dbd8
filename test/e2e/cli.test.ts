import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { RunResult } from '../../src/sandbox/process/run.ts';
import { run } from '../../src/sandbox/process/run.ts';
import { resolveTemporal } from '../../src/sandbox/resolver/resolve.ts';
import { configuredServers } from '../../src/sandbox/sandbox.ts';
import type { Application } from '../scenarios/application.ts';
import { SCHEMA } from '../scenarios/application.ts';
import { MAIN, ScenarioLab } from '../scenarios/lab.ts';

/** Commands as a person types them in a shell, one after another, in a folder of the person's own. */
let lab: ScenarioLab;
let application: Application;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  lab = await ScenarioLab.open();
  application = await lab.seed();
  home = join(lab.folder, 'home');
  const bin = join(home, 'bin');
  await mkdir(bin, { recursive: true });
  const temporal = (await resolveTemporal()).command([]);
  await program(join(bin, 'skyferry'), [process.execPath, MAIN]);
  await program(join(bin, 'temporal'), temporal);
  env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: home,
    TEMPORAL_ADDRESS: lab.sandbox.temporal.address,
    SKYFERRY_SECRETS: lab.sandbox.secretsDir,
  };
  await writeConfig();
});
afterAll(async () => {
  await application.stop();
  await lab.close();
});

async function program(file: string, command: readonly string[]): Promise<void> {
  await writeFile(file, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  await chmod(file, 0o755);
}

const CONNECTION_FILE = 'application/database.url';

async function writeConfig(): Promise<void> {
  const { ports } = lab.sandbox.state;
  const path = join(lab.folder, CONNECTION_FILE);
  await writeFile(path, `mysql://app@localhost:${ports.source}\n`);
  const from = `localhost:${ports.source}`;
  const to = `localhost:${ports.target}`;
  const text = stringify({
    name: 'shop',
    ...configuredServers(lab.sandbox),
    schemas: [SCHEMA],
    cutover: { lagSamples: 1, switches: [{ consumer: 'app', kind: 'file', path, from, to }] },
  });
  await writeFile(join(home, 'skyferry.yaml'), text);
}

/** One line typed into a shell. */
async function type(line: string, more: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  return await run(['/bin/bash', '-c', line], {
    cwd: home,
    env: { ...env, ...more },
    timeoutMs: 60_000,
  });
}

/** What `--json` prints; parts that a test does not ask for may be missing. */
interface Envelope {
  format_version: number;
  status: string;
  data: { status: { phase: string }; hash: string };
  error: { code: string; message: string };
  issues: { code: string; severity: string }[];
  next_steps: string[];
}

function envelopeOf({ stdout }: Pick<RunResult, 'stdout'>): Envelope {
  const envelope = JSON.parse(stdout) as Envelope;
  expect(envelope.format_version).toBe(1);
  return envelope;
}

async function untilPhase(phase: string): Promise<RunResult> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const shown = await type('skyferry status --json');
    if (shown.status !== 1 && envelopeOf(shown).data?.status.phase === phase) return shown;
    if (Date.now() > deadline) throw new Error(`never ${phase}: ${shown.stdout}${shown.stderr}`);
  }
}

const onSource = async (sql: string) => await lab.query(lab.sandbox.source.superuser, sql);

describe('before anything runs', () => {
  test('validate shows every error at once, with line and column', async () => {
    await writeFile(
      join(home, 'bad.yaml'),
      'name: Shop!\nsource: { host: a, user: u, password: hunter2 }\nschemas: []\ntypo: 1\n',
    );
    const { status, stdout, stderr } = await type('skyferry validate bad.yaml');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('bad.yaml:1:1  name: must be 1-63');
    expect(stderr).toContain('bad.yaml:2:29  source.password: must be a reference');
    expect(stderr).toContain('bad.yaml:3:1  schemas');
    expect(stderr).toContain('bad.yaml:4:1  typo: unknown key');
    expect(stderr).toContain('target');
    expect(stderr).not.toContain('hunter2');
    const json = envelopeOf(await type('skyferry validate bad.yaml --json'));
    expect(json.issues).toContainEqual(
      expect.objectContaining({ object: 'bad.yaml:4:1 typo', message: 'unknown key' }),
    );
    expect((await type('skyferry validate')).status).toBe(0);
  });

  test('doctor and plan: 0 when nothing is in the way, 3 with a blocker and its fix', async () => {
    const doctor = await type('skyferry doctor');
    expect([doctor.status, doctor.stderr]).toEqual([0, '']);
    const plan = await type('skyferry plan --json');
    expect(plan.status).toBe(0);
    expect(envelopeOf(plan).data.hash).toMatch(/^[0-9a-f]{64}$/);
    await onSource('CREATE DATABASE elsewhere');
    await onSource('CREATE TABLE elsewhere.t (id int PRIMARY KEY)');
    const blocked = await type('skyferry doctor --json');
    expect(blocked.status).toBe(3);
    const { status, issues } = envelopeOf(blocked);
    expect(status).toBe('blocked');
    expect(issues.filter(({ severity }) => severity === 'blocker')).toMatchObject([
      { code: 'other-schemas', object: 'elsewhere', fix: expect.any(String) },
    ]);
    const drawn = await type('skyferry plan');
    expect([drawn.status, drawn.stdout]).toEqual([3, expect.stringContaining('● built-in')]);
  });

  test('usage errors are 2, an unreachable Temporal is 7', async () => {
    expect((await type('skyferry aprove')).status).toBe(2);
    expect((await type('skyferry status --no-such-option')).status).toBe(2);
    const nowhere = { TEMPORAL_ADDRESS: 'localhost:1' };
    const told = await type('skyferry start', nowhere);
    expect([told.status, told.stdout]).toEqual([7, '']);
    expect(told.stderr).toMatch(/localhost:1[\s\S]*next:/);
    const json = await type('skyferry status --json', nowhere);
    expect(json.status).toBe(7);
    expect(envelopeOf(json)).toMatchObject({
      status: 'error',
      error: { code: 'TEMPORAL_UNREACHABLE' },
    });
  });
});

describe('a migration that is started, looked at and aborted', () => {
  test('start says that no worker polls; a second start is refused', async () => {
    const started = await type('skyferry start');
    expect(started.status).toBe(0);
    expect(started.stdout).toMatch(/^started migration\/shop \(run /);
    expect(started.stderr).toContain('skyferry worker');
    const again = await type('skyferry start --json');
    expect(again.status).toBe(1);
    expect(envelopeOf(again).error).toMatchObject({ code: 'MIGRATION_CONFLICT' });
  });

  test('parked in preflight: status names the blocker and exits with 4', async () => {
    lab.startWorker();
    const { status, stdout } = await untilPhase('parked');
    expect([status, envelopeOf({ stdout }).status]).toEqual([4, 'waiting']);
    const piped = await type('skyferry status | cat');
    expect(piped.stdout).toContain('elsewhere is on the source too');
    expect(piped.stdout).toContain('retry');
    // oxlint-disable-next-line no-control-regex -- colours are what must not be there
    expect(piped.stdout).not.toMatch(/\u001b/);
  });

  test('an approval that comes early is refused, in words', async () => {
    const { status, stdout, stderr } = await type('skyferry approve-cutover --by ann');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('approve-cutover was refused: early');
    expect(stderr).toContain('nothing was changed');
  });

  test('the blocker removed, retry goes on to where a person is asked', async () => {
    await onSource('DROP DATABASE elsewhere');
    const { status, stdout } = await type('skyferry retry --by ann');
    expect([status, stdout]).toEqual([0, 'retry-phase: accepted by migration/shop\n']);
    expect((await untilPhase('awaiting-approval')).status).toBe(4);
  });

  test('abort --drop-target takes the name of the migration, and nothing else', async () => {
    const wrong = await type('skyferry abort --by ann --drop-target shopp');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain('abort was refused');
    expect((await type('skyferry status --json')).status).toBe(4);
    const right = await type('skyferry abort --by ann --reason "a rehearsal" --drop-target shop');
    expect([right.status, right.stderr]).toEqual([0, '']);
    expect((await untilPhase('aborted')).status).toBe(0);
    const left = await lab.query(
      lab.sandbox.target.superuser,
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'",
    );
    expect(left).toEqual([]);
  });
});

describe("with Temporal's own CLI, as typed in the README", () => {
  let lines: string[];
  const typed = (word: string) => lines.find((line) => line.includes(word)) ?? `false ${word}`;

  beforeAll(async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, after = ''] = readme.split("## With Temporal's own CLI");
    lines = after.split('```')[1]?.trim().split('\n') ?? [];
  });

  test('start with the printed input, query', async () => {
    for (const word of ['--print-input', 'workflow start']) {
      const { status, stderr } = await type(typed(word));
      expect([word, status, stderr]).toEqual([word, 0, '']);
    }
    expect(await readFile(join(home, 'input.json'), 'utf8')).toContain('${file:source-migration}');
    await untilPhase('awaiting-approval');
    const { status, stdout } = await type(typed('workflow query'));
    expect(status).toBe(0);
    expect(stdout).toContain('awaiting-approval');
    expect((await type(typed('workflow start'))).status).not.toBe(0);
  });

  test('updates and signals', async () => {
    expect((await type(typed('update execute'))).status).toBe(0);
    const paused = await type('skyferry status');
    expect(paused.stdout).toContain('paused');
    expect((await type(typed('update execute').replace('pause', 'resume'))).status).toBe(0);
    expect((await type(typed('workflow signal'))).status).toBe(0);
    expect((await untilPhase('completed')).status).toBe(0);
    expect(await readFile(join(lab.folder, CONNECTION_FILE), 'utf8')).toBe(
      `mysql://app@localhost:${lab.sandbox.state.ports.target}\n`,
    );
  });

  test('report as text, JSON and one page', async () => {
    const text = await type('skyferry report');
    expect([text.status, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toContain('you@example.com');
    expect(text.stdout).toContain('super_read_only');
    expect(text.stdout).toMatch(/^lag [▁▂▃▄▅▆▇█]+ highest /m);
    const json = await type('skyferry report --json');
    expect(envelopeOf(json)).toMatchObject({
      status: 'ok',
      data: { report: { status: { phase: 'completed' }, verification: { equal: true } } },
    });
    const html = await type('skyferry report --format html -o report.html');
    expect(html.status).toBe(0);
    const page = await readFile(join(home, 'report.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/i);
    // Self-contained: nothing is fetched from anywhere.
    expect(page).not.toMatch(/(src|href)="https?:/);
  });

  test('a completed migration is not started again, and who tries it by other ways is told why', async () => {
    const again = await type('skyferry start');
    expect([again.status, again.stdout]).toEqual([1, '']);
    expect(again.stderr).toContain('migration/shop is completed');
    expect((await type(typed('workflow start'))).status).toBe(0);
    const deadline = Date.now() + 20_000;
    let shown = await type('skyferry status');
    while (shown.status === 0 && Date.now() < deadline) shown = await type('skyferry status');
    expect(shown.status).toBe(1);
    expect(shown.stdout).toContain('MIGRATION_CONFLICT: migration shop is already completed');
  });
});
