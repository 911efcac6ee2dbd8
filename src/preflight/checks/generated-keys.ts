import { displayName } from '../../mysql/identifier.ts';
import { check } from '../finding.ts';

/** Azure turns generated invisible primary keys on: tables without a key would gain a column. */
export const generatedKeysCheck = check(
  'generated-keys',
  'no table gains or needs a key on the target',
  ({ target, catalog }) => {
    const keyless = catalog.tables.filter(
      (table) => !table.indexes.some((index) => index.name === 'PRIMARY'),
    );
    const on = ['sql_generate_invisible_primary_key', 'sql_require_primary_key'].filter(
      (variable) => target.variable(variable) === 'ON',
    );
    if (keyless.length === 0 || on.length === 0) return [];
    const maySwitchOff = target.grants.global('SESSION_VARIABLES_ADMIN');
    return [
      {
        severity: maySwitchOff ? ('info' as const) : ('blocker' as const),
        object: keyless.map(({ name }) => displayName(name)).join(', '),
        found: `has no primary key while the target has ${on.join(' and ')} ON${
          maySwitchOff ? "; both are switched off in Skyferry's own sessions" : ''
        }`,
        ...(!maySwitchOff && {
          fix: `GRANT SESSION_VARIABLES_ADMIN ON *.* TO ${target.account};`,
        }),
      },
    ];
  },
);
