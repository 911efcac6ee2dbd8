import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

const ZERO_DATES = 'NO_ZERO_DATE';
const INVISIBLE_KEYS = 'sql_generate_invisible_primary_key';

/** Settings of the target that the service checks, or fails on half way. */
export const dmsSettingsCheck = check(
  'dms-settings',
  'both servers are set as Azure’s migration service needs it',
  ({ source, target, config }) => {
    const before = modes(source.variable('sql_mode'));
    const after = modes(target.variable('sql_mode'));
    const wanted = before.includes(ZERO_DATES)
      ? [...after, ZERO_DATES]
      : after.filter((mode) => mode !== ZERO_DATES);
    return [
      ...(before.includes(ZERO_DATES) === after.includes(ZERO_DATES)
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: 'target sql_mode',
              found: before.includes(ZERO_DATES)
                ? `lacks ${ZERO_DATES}, which the source has: the service refuses servers that differ in it`
                : `has ${ZERO_DATES}, which the source has not: rows with a zero date would be refused, so the service refuses to begin`,
              fix: targetParameterFix(config, 'sql_mode', wanted.join(',')),
            },
          ]),
      ...(target.variable(INVISIBLE_KEYS) === 'ON'
        ? [
            {
              severity: 'blocker' as const,
              object: `target ${INVISIBLE_KEYS}`,
              found: 'is ON, which the service does not support',
              fix: targetParameterFix(config, INVISIBLE_KEYS, 'OFF'),
            },
          ]
        : []),
    ];
  },
);

function modes(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((mode) => mode !== '');
}
