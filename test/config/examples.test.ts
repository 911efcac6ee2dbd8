import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadConfigFile } from '../../src/config/load.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { loadSwitchCommands } from '../../src/cutover/switches/command.ts';

const folder = 'examples';

test('every example is valid', async () => {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const { cutover } = await loadConfigFile(`${folder}/${file}`);
    const commands = await loadSwitchCommands(`${folder}/commands.json`);
    const named = cutover.switches.flatMap((each) =>
      each.kind === 'command' ? [each.command] : [],
    );
    expect(Object.keys(commands)).toEqual(expect.arrayContaining(named));
  }
});

test('the schema that the examples name is the one that `skyferry schema` prints', async () => {
  const committed: unknown = JSON.parse(await readFile(`${folder}/skyferry.schema.json`, 'utf8'));
  expect(committed).toEqual(configJsonSchema());
});
