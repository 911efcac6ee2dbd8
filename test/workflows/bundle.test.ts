import { expect, test } from 'vitest';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';

test('workflow code reaches no I/O: no Node module, no driver, no engine, no activity', async () => {
  const { code } = await bundleWorkflows();
  const modules = modulesOf(code);
  expect(modules.filter((path) => path.endsWith('workflows/migrate-database.ts'))).toHaveLength(1);
  const own = modules.filter((path) => path.includes('/src/') && !path.includes('/node_modules/'));
  const allowed =
    /\/src\/(workflows\/|config\/(schema|servers-schema|switches-schema|values|parse|located)\.ts|preflight\/assessment\.ts|failures\.ts)/;
  expect(own.filter((path) => !allowed.test(path))).toEqual([]);
  expect(
    modules.filter((path) => /^node:|mysql2|@temporalio\/(activity|client|worker)/.test(path)),
  ).toEqual([]);
  const packages = new Set(
    modules.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean),
  );
  expect([...packages].filter((name) => !name?.startsWith('@temporalio/'))).toEqual(
    expect.arrayContaining(['zod']),
  );
});

/** The paths of the modules in the bundle, from the source map that it carries. */
function modulesOf(code: string): string[] {
  const encoded = /sourceMappingURL=data:application\/json;charset=utf-8;base64,(\S+)/.exec(
    code,
  )?.[1];
  if (encoded === undefined) throw new Error('the bundle has no source map');
  const map = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as { sources: string[] };
  return map.sources;
}
