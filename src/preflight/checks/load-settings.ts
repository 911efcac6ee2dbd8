import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

/** What LOAD DATA LOCAL and stored programs need of the target. */
export const loadSettingsCheck = check(
  'load-settings',
  'the target takes rows and stored programs',
  ({ target, catalog, config }) => {
    const programs =
      catalog.triggers.length + catalog.routines.filter(({ kind }) => kind === 'FUNCTION').length;
    const binlogTrust =
      programs > 0 &&
      target.variable('log_bin') === 'ON' &&
      target.variable('log_bin_trust_function_creators') !== 'ON' &&
      !target.grants.global('SUPER');
    return [
      ...(target.variable('local_infile') === 'ON'
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: 'target local_infile',
              found: 'is OFF: rows are loaded by LOAD DATA LOCAL',
              fix: targetParameterFix(config, 'local_infile', 'ON'),
            },
          ]),
      ...(binlogTrust
        ? [
            {
              severity: 'blocker' as const,
              object: 'target log_bin_trust_function_creators',
              found: `is OFF: ${programs} triggers and functions would be refused (error 1419)`,
              fix: targetParameterFix(config, 'log_bin_trust_function_creators', 'ON'),
            },
          ]
        : []),
      ...(target.variable('autocommit') === 'OFF'
        ? [
            {
              severity: 'blocker' as const,
              object: 'target autocommit',
              found: 'is OFF for new sessions: what the checkpoint is told would be rolled back',
              fix: targetParameterFix(config, 'autocommit', 'ON'),
            },
          ]
        : []),
      ...(target.variable('read_only') === 'ON' || target.variable('super_read_only') === 'ON'
        ? [
            {
              severity: 'blocker' as const,
              object: 'target read_only',
              found: 'is ON: the target takes no writes',
              fix: 'make it writable; Azure sets it by itself when the storage is nearly full',
            },
          ]
        : []),
    ];
  },
);
