import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** Of nothing nothing can be compared, and what was not compared is not switched to. */
export const schemasCheck = check<SourceSide>(
  'schemas',
  'the schemas hold tables',
  ({ catalog: { schemas, tables } }) => {
    const empty = schemas
      .map(({ name }) => name)
      .filter((name) => tables.every((table) => table.name.schema !== name));
    if (empty.length === 0) return [];
    const none = tables.length === 0;
    return [
      {
        severity: none ? ('blocker' as const) : ('info' as const),
        object: empty.join(', '),
        found: `holds no tables on the source${none ? ': nothing could be compared, so the cutover would never come' : ''}`,
        ...(none && { fix: 'correct `schemas` in the configuration' }),
      },
    ];
  },
);
