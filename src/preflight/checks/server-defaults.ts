import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

/** Defaults that new sessions and new tables of the applications would get. */
const compared = [
  'character_set_server',
  'collation_server',
  'default_storage_engine',
  'explicit_defaults_for_timestamp',
  'innodb_strict_mode',
  'group_concat_max_len',
];

export const serverDefaultsCheck = check(
  'server-defaults',
  'applications find the same defaults',
  ({ source, target, config }) =>
    compared.flatMap((variable) => {
      const before = source.variable(variable);
      const after = target.variable(variable);
      if (before === undefined || after === undefined || before === after) return [];
      return [
        {
          severity: 'warning' as const,
          object: `target ${variable}`,
          found: `is ${after}, on the source ${before}`,
          fix: `if applications rely on it: ${targetParameterFix(config, variable, /^\d+$/.test(before) ? Number(before) : before)}`,
        },
      ];
    }),
);
