import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

/** Skyferry sets its own sessions' sql_mode; applications get the server's. */
export const sqlModeCheck = check(
  'sql-mode',
  'applications find the same sql_mode',
  ({ source, target, config }) => {
    const modes = (text: string | undefined) =>
      new Set((text ?? '').split(',').filter((mode) => mode !== ''));
    const before = modes(source.variable('sql_mode'));
    const after = modes(target.variable('sql_mode'));
    const added = [...after].filter((mode) => !before.has(mode));
    const gone = [...before].filter((mode) => !after.has(mode));
    if (added.length === 0 && gone.length === 0) return [];
    return [
      {
        severity: 'warning' as const,
        object: 'target sql_mode',
        found: [
          ...(added.length > 0 ? [`adds ${added.join(', ')}`] : []),
          ...(gone.length > 0 ? [`lacks ${gone.join(', ')}`] : []),
        ].join('; '),
        fix: targetParameterFix(config, 'sql_mode', [...before].join(',')),
      },
    ];
  },
);
