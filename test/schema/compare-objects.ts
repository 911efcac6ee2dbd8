import { readEvents } from '../../src/mysql/catalog/events.ts';
import { readRoutines } from '../../src/mysql/catalog/routines.ts';
import { readTriggers } from '../../src/mysql/catalog/triggers.ts';
import type { Catalog, Table } from '../../src/mysql/catalog/types.ts';
import { readViews } from '../../src/mysql/catalog/views.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import type { QualifiedName } from '../../src/mysql/identifier.ts';
import { displayName, spelledOn } from '../../src/mysql/identifier.ts';
import { missingForeignKeys, missingKeys } from '../../src/schema/table-definition.ts';
import { bodyDifferences } from '../../src/schema/table-differences.ts';
import { inTargetSession } from '../../src/schema/target-session.ts';
import { readTargetTables, targetSchemas } from '../../src/schema/target-tables.ts';

interface ObjectDifference {
  readonly kind: 'table' | 'view' | 'procedure' | 'function' | 'trigger' | 'event';
  /** As the source spells it. */
  readonly name: QualifiedName;
  readonly what: 'missing' | 'different';
  /** For `different`: each in a few words, by name. */
  readonly differences: readonly string[];
}

/**
 * What the catalog has and the target lacks, or, for tables, has otherwise in columns, keys or foreign
 * keys. What only the target has is not looked at.
 */
export async function compareObjects(
  target: Endpoint,
  catalog: Catalog,
  lctn: number,
): Promise<ObjectDifference[]> {
  return inTargetSession(target, undefined, async (connection) => {
    const schemas = targetSchemas(catalog, lctn);
    const tableOnTarget = await readTargetTables(connection, catalog, lctn);
    const tables = catalog.tables.flatMap(({ name, ...table }): ObjectDifference[] => {
      const found = tableOnTarget(name);
      if (found === undefined) return [{ kind: 'table', name, what: 'missing', differences: [] }];
      const differences = tableDifferences({ name, ...table }, found, lctn);
      return differences.length === 0
        ? []
        : [{ kind: 'table', name, what: 'different', differences }];
    });
    const programs = (of: ProgramLists) => [
      ...of.views.map(({ name }) => ({ kind: 'view' as const, name })),
      ...of.routines.map(({ kind, name }) => ({ kind: routineKind(kind), name })),
      ...of.triggers.map(({ name }) => ({ kind: 'trigger' as const, name })),
      ...of.events.map(({ name }) => ({ kind: 'event' as const, name })),
    ];
    const there = new Set(
      programs({
        views: await readViews(connection, schemas),
        routines: await readRoutines(connection, schemas),
        triggers: await readTriggers(connection, schemas),
        events: await readEvents(connection, schemas),
      }).map(({ kind, name }) => objectKey(kind, name, lctn)),
    );
    const missing = programs(catalog)
      .filter(({ kind, name }) => !there.has(objectKey(kind, name, lctn)))
      .map(({ kind, name }): ObjectDifference => ({
        kind,
        name,
        what: 'missing',
        differences: [],
      }));
    return [...tables, ...missing];
  });
}

type ProgramLists = Pick<Catalog, 'views' | 'routines' | 'triggers' | 'events'>;

function routineKind(kind: 'PROCEDURE' | 'FUNCTION'): 'procedure' | 'function' {
  return kind === 'FUNCTION' ? 'function' : 'procedure';
}

/** Routine, trigger and event names are kept as spelled, whatever lower_case_table_names says. */
function objectKey(kind: ObjectDifference['kind'], name: QualifiedName, lctn: number): string {
  const spelled = spelledOn(name, lctn);
  return `${kind} ${displayName(kind === 'view' ? spelled : { ...name, schema: spelled.schema })}`;
}

/** `bodyDifferences`, and the keys and foreign keys that the target lacks or has otherwise. */
function tableDifferences(source: Table, target: Table, lctn: number): string[] {
  return [
    ...bodyDifferences(source, target),
    ...missingKeys(source, target).map(
      ({ element, drop }) => `index ${element.name} ${drop ? 'differs' : 'is missing'}`,
    ),
    ...missingForeignKeys(source, target, lctn).map(
      ({ foreignKey, drop }) => `foreign key ${foreignKey.name} ${drop ? 'differs' : 'is missing'}`,
    ),
  ];
}
