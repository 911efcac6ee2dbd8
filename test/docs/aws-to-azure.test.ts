import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { skyferryPolicy } from '../../src/sandbox/clouds/aws/policy.ts';
import { skyferryRegionRole, skyferryRole } from '../../src/sandbox/clouds/azure/role.ts';

test('the runbook documents exactly the rights that the sandbox’s clouds grant', async () => {
  const text = await readFile('docs/aws-to-azure.md', 'utf8');
  const [policy, role, regionRole] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
    ([, json = '']) => JSON.parse(json) as { Actions?: string[] },
  );
  expect(policy).toEqual(skyferryPolicy);
  expect(role?.Actions).toEqual(skyferryRole);
  expect(regionRole?.Actions).toEqual(skyferryRegionRole);
});
