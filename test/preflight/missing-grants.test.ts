import { expect, test } from 'vitest';
import { Grants } from '../../src/mysql/grants.ts';
import { missingOnSchemas } from '../../src/preflight/missing-grants.ts';

test('what is missing comes with its GRANT', () => {
  const grants = Grants.parse(['GRANT SELECT ON `shop`.* TO `src`@`%`']);
  expect(missingOnSchemas(grants, ['SELECT', 'EVENT'], ['shop'], '`src`@`10.%`')).toEqual([
    { schema: 'shop', missing: ['EVENT'], fix: 'GRANT EVENT ON `shop`.* TO `src`@`10.%`;' },
  ]);
});
