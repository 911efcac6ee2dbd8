import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { skyferryDataMigrationRole } from '../../src/sandbox/clouds/azure/role.ts';

test('the engines’ page documents exactly the rights that the sandbox grants for the migration service', async () => {
  const text = await readFile('docs/engines.md', 'utf8');
  const [role] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
    ([, json = '']) => JSON.parse(json) as { Actions?: string[] },
  );
  expect(role?.Actions).toEqual(skyferryDataMigrationRole);
});
