import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { configHash } from '../../src/config/hash.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { loadSwitchCommands } from '../../src/cutover/switches/command.ts';
import { cloudConfig, config } from '../workflows/config.ts';

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

/**
 * A checkpoint of a former version is found by this hash. A new key whose default changes it would make
 * every running migration another one: leave such a key out of the hash while it has its default.
 */
test('a version does not change the hash of what was written before it', () => {
  const hashes = [config('shop'), cloudConfig('shop')].map(configHash);
  expect(hashes).toEqual([
    'ff58937118d43468d687523123c10f50dd82b27d5d9a2411ce7257e2388bbe23',
    '6f7f4a24435a4ecd0c99afa0e7979b92160d7ed8d9cb38f2bb832a8d0252311f',
  ]);
});

test('the schema that the examples name is the one that `skyferry schema` prints', async () => {
  const committed: unknown = JSON.parse(await readFile(`${folder}/skyferry.schema.json`, 'utf8'));
  expect(committed).toEqual(configJsonSchema());
});
