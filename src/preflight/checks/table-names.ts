import type { QualifiedName } from '../../mysql/identifier.ts';
import { displayName } from '../../mysql/identifier.ts';
import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

/** `lower_case_table_names` is fixed when a server is created, so names that do not fit are found now. */
export const tableNamesCheck = check<SourceSide>(
  'table-names',
  'every name can be spelled on the target',
  ({ source, target, catalog, config }) => {
    const before = source.variable('lower_case_table_names') ?? '0';
    const after = target.variable('lower_case_table_names') ?? '0';
    const names = [...catalog.tables, ...catalog.views].map(({ name }) => name);
    if (before === after) return [];
    if (after === '0') {
      return [
        {
          severity: 'warning' as const,
          object: 'target lower_case_table_names',
          found: `is 0, on the source ${before}: there the target tells upper from lower case`,
          fix: 'make sure that applications spell every table as it was created',
        },
      ];
    }
    return [
      ...collisions(config.schemas),
      ...collisions(names.map(displayName)),
      ...respelled(names),
    ];
  },
);

function collisions(names: readonly string[]) {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const folded = name.toLowerCase();
    groups.set(folded, [...(groups.get(folded) ?? []), name]);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      severity: 'blocker' as const,
      object: group.join(', '),
      found: 'would become one name on the target (lower_case_table_names=1)',
      fix: `RENAME TABLE … on the source, so that they differ in more than case`,
    }));
}

function respelled(names: readonly QualifiedName[]) {
  const mixed = names.filter((name) => displayName(name) !== displayName(name).toLowerCase());
  if (mixed.length === 0) return [];
  return [
    {
      severity: 'info' as const,
      object: mixed.map(displayName).join(', '),
      found:
        'is kept in lower case on the target; every spelling finds it there, but catalogues show the lower one',
    },
  ];
}
