import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandSwitch, loadSwitchCommands } from '../../../src/cutover/switches/command.ts';

const signal = new AbortController().signal;
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyferry-command-switch-'));
  file = join(folder, 'commands.json');
});

afterEach(async () => await rm(folder, { recursive: true }));

async function make(command: object) {
  await writeFile(file, JSON.stringify({ proxy: command }));
  const commands = await loadSwitchCommands(file);
  return createCommandSwitch({ consumer: 'app', command: 'proxy', commands });
}

describe('the switch by command', () => {
  it('hands words over as they are, without a shell, and names the consumer', async () => {
    const out = join(folder, 'out; touch x');
    const script = 'require("fs").writeFileSync(process.argv[1], process.env.SKYFERRY_CONSUMER)';
    const command = await make({
      switch: [process.execPath, '-e', script, out],
      undo: [process.execPath, '-e', 'require("fs").rmSync(process.argv[1])', out],
      probe: [process.execPath, '-e', 'require("fs").readFileSync(process.argv[1])', out],
    });
    await expect(command.probe(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await command.do(signal);
    expect(await readFile(out, 'utf8')).toBe('app');
    await command.probe(signal);
    await command.undo(signal);
    await expect(readFile(out)).rejects.toThrow('ENOENT');
  });

  it('reports the exit code and nothing of the output', async () => {
    const command = await make({
      switch: [process.execPath, '-e', 'console.error("hunter2"); process.exit(3)'],
      undo: ['true'],
    });
    const failure: unknown = await command.do(signal).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'SWITCH_FAILED',
      message: expect.stringContaining('exit code 3') as string,
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2');
  });

  it('ends a command, and what it started, after its time', async () => {
    const pidFile = join(folder, 'pid');
    const child = `const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
      require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(c.pid)); setInterval(() => {}, 1000)`;
    const command = await make({
      switch: [process.execPath, '-e', child],
      undo: ['true'],
      timeoutSeconds: 1,
    });
    await expect(command.do(signal)).rejects.toMatchObject({
      message: expect.stringContaining('timed out') as string,
    });
    const pid = Number(await readFile(pidFile, 'utf8'));
    // Reaped by whoever adopts it; until then it may be a zombie, which still answers to signal 0.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
    expect(state === 'gone' || / Z /.test(state)).toBe(true);
  });

  it('refuses a name that the worker does not know, and a file of another shape', async () => {
    await make({ switch: ['true'], undo: ['true'] });
    const commands = await loadSwitchCommands(file);
    const unknown = createCommandSwitch({ consumer: 'app', command: 'toString', commands });
    await expect(unknown.precondition(signal)).rejects.toMatchObject({ code: 'SWITCH_FAILED' });
    await writeFile(file, '{"proxy": {"switch": "rm -rf /", "undo": ["true"]}}');
    await expect(loadSwitchCommands(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
