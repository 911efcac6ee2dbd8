import { contentHash } from '../config/hash.ts';
import type { LocatedConfig } from '../config/located.ts';
import type { Engine, WindowConfig } from '../config/schema.ts';
import { estimate } from '../copy/estimate.ts';
import { SkyferryFailure } from '../failures.ts';
import type { Catalog, Table } from '../mysql/catalog/types.ts';
import { displayName } from '../mysql/identifier.ts';
import type { EngineAssessment } from '../preflight/assessment.ts';
import type { EngineChoice } from '../preflight/choose-engine.ts';
import { chooseEngine, explainNoChoice } from '../preflight/choose-engine.ts';
import { compareEngines } from './engines.ts';
import type { Plan, PlannedCutover, PlannedTable, PlanStep } from './plan.ts';
import { describeSwitch } from './plan.ts';

/** A plan travels through workflow histories: bounded, whatever the number of tables. */
const MAX_LISTED_TABLES = 100;

/** The part of a preflight finding that a plan shows. */
export interface Warning {
  readonly severity: string;
  readonly code: string;
  readonly object?: string;
  readonly found: string;
}

export interface Engines {
  readonly assessments: readonly EngineAssessment[];
  /** The one in use; null: `auto`, which is still to choose. */
  readonly inUse: Engine | null;
  /** Row changes a second on the source; null: not known. */
  readonly changesPerSecond: number | null;
}

/**
 * Pure: the same input gives the same plan.
 * @throws PREFLIGHT_BLOCKED when `auto` finds no engine that it may take
 */
export function makePlan(
  located: LocatedConfig,
  catalog: Catalog,
  findings: readonly Warning[],
  { assessments, inUse, changesPerSecond }: Engines,
): Plan {
  const { engine, why } = choose(located, assessments, inUse);
  const config = { ...located, engine };
  const estimates = estimate(catalog.tables);
  const foreignKeys = catalog.tables.flatMap((table) => table.foreignKeys);
  const cascading = foreignKeys.filter((key) => cascades(key.onDelete) || cascades(key.onUpdate));
  const fence = foundBy('fence-kind', findings) ?? config.cutover.fence;
  const rehearsal = foundBy('fence-rehearsal', findings);
  return {
    name: config.name,
    source: `${config.source.host}:${config.source.port}`,
    target: `${config.target.host}:${config.target.port}`,
    schemas: config.schemas,
    method: config.method,
    engine,
    whyEngine: why,
    engines: compareEngines(assessments, { config, estimates, changesPerSecond }),
    steps: steps(config),
    tables: plannedTables(catalog.tables),
    tableCount: catalog.tables.length,
    tablesHash: hashOfTables(catalog.tables),
    objects: {
      views: catalog.views.length,
      routines: catalog.routines.length,
      triggers: catalog.triggers.length,
      events: catalog.events.length,
    },
    foreignKeys: { count: foreignKeys.length, cascading: cascading.length },
    estimates,
    changesOnSource: changesOnSource(config, catalog, fence),
    changesOnTarget: changesOnTarget(config),
    cutover: {
      ...plannedCutover(config, fence),
      ...(rehearsal !== undefined && { rehearsal }),
    },
    warnings: findings
      .filter(({ severity }) => severity === 'warning')
      .map(
        ({ code, object, found }) =>
          `${code}${object === undefined ? '' : ` (${object})`}: ${found}`,
      )
      .slice(0, MAX_LISTED_TABLES),
  };
}

function foundBy(code: string, findings: readonly Warning[]): string | undefined {
  return findings.find((finding) => finding.code === code)?.found;
}

function choose(
  { writtenEngine }: LocatedConfig,
  assessments: readonly EngineAssessment[],
  inUse: Engine | null,
): EngineChoice {
  if (inUse !== null) {
    return {
      engine: inUse,
      why: inUse === writtenEngine ? 'as configured' : 'as decided when the migration ran already',
    };
  }
  const choice = chooseEngine(assessments);
  if (choice !== null) return { ...choice, why: `auto takes it: ${choice.why}` };
  const { found, fix } = explainNoChoice(assessments);
  throw new SkyferryFailure('PREFLIGHT_BLOCKED', found, {
    safe: 'nothing was copied',
    next: fix,
  });
}

const whoApplies: Readonly<Record<Engine, string>> = {
  'built-in': '',
  native: "hands over to MySQL's own replication on the target, which ",
  'azure-dms': 'the service, whose rows are seen to arrive, ',
};

const cascades = (action: string): boolean => action === 'CASCADE' || action === 'SET NULL';

function steps({ cutover, engine }: LocatedConfig): PlanStep[] {
  return [
    { phase: 'preflight', does: 'reads both servers; blockers stop here, nothing is changed' },
    {
      phase: 'provisioning',
      does: 'creates the schemas and the checkpoint on the target, notes the starting position',
    },
    {
      phase: 'full-load',
      does: `${engine === 'azure-dms' ? 'Azure’s service copies rows and applies what changed meanwhile; Skyferry' : 'copies rows in parallel chunks, replays what changed meanwhile,'} builds indexes, foreign keys, views, routines`,
    },
    {
      phase: 'catching-up',
      does: `${whoApplies[engine]}applies changes until the lag is below ${cutover.lagThreshold} for ${cutover.lagSamples} readings`,
    },
    { phase: 'verifying', does: 'compares every row of every table, under writes' },
    { phase: 'awaiting-window', does: describeWindow(cutover.window) },
    { phase: 'awaiting-approval', does: describeApproval(cutover.approval) },
    {
      phase: 'cutting-over',
      does: `stops writes on the source, proves it, drains, compares what was touched, switches ${cutover.switches.length} consumers; beyond ${cutover.downtimeBudget} before the switch the source takes writes again`,
    },
    { phase: 'completed', does: 'events run on the target; the source stays fenced' },
  ];
}

function plannedTables(tables: readonly Table[]): PlannedTable[] {
  return tables
    .map((table) => ({
      table: displayName(table.name),
      rows: table.estimatedRows,
      bytes: table.estimatedBytes,
      key: table.rowKey?.columns.join(', ') ?? null,
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.table < b.table ? -1 : 1))
    .slice(0, MAX_LISTED_TABLES);
}

function hashOfTables(tables: readonly Table[]): string {
  const keys = tables.map(({ name, rowKey }) => [displayName(name), rowKey?.columns ?? null]);
  return contentHash(keys.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

function changesOnSource(
  { engine, native }: LocatedConfig,
  catalog: Catalog,
  fence: string,
): string[] {
  const keyless = catalog.tables.filter((table) => table.rowKey === null);
  return [
    'binlog retention is raised for the migration where it is too short and may be set, and put back at the end',
    ...(engine === 'azure-dms' ? ['read locks on the tables while the service begins'] : []),
    ...(keyless.length > 0 && engine !== 'azure-dms'
      ? [
          `LOCK TABLES … READ for milliseconds on each table without a key: ${someOf(keyless.map(({ name }) => displayName(name)))}`,
        ]
      : []),
    ...(engine === 'native' && native?.account === undefined
      ? ['an account for replication, dropped at the end where the fence lets it']
      : []),
    `the fence during the cutover, which stays after the switch: ${fence}`,
  ];
}

const NAMED = 20;

function someOf(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

function changesOnTarget(config: LocatedConfig): string[] {
  return [
    `schemas ${config.schemas.join(', ')} with their tables, views, routines, triggers and events`,
    'schema skyferry with the checkpoint',
    ...(config.engine === 'native'
      ? [
          `replication from the source with ${config.native?.workers ?? 4} workers and the commit order kept, where that may be set; removed before the switch`,
        ]
      : []),
    ...(config.engine === 'azure-dms'
      ? ['rows by Azure’s migration service, with the accounts of the migration']
      : []),
  ];
}

/** `fence`: the kind that is meant, and what it does where that is known. */
export function plannedCutover(
  { cutover }: Pick<LocatedConfig, 'cutover'>,
  fence: string,
): PlannedCutover {
  return {
    fence,
    alsoFenced: cutover.otherSchemasMayBeFenced,
    window: describeWindow(cutover.window),
    approval: describeApproval(cutover.approval),
    lagThreshold: cutover.lagThreshold,
    downtimeBudget: cutover.downtimeBudget,
    switches: cutover.switches.map(describeSwitch),
    wayBack:
      'none without loss once the target has taken writes: this version does not replicate back. Before the switch every failure un-fences the source by itself.',
  };
}

function describeWindow(window: WindowConfig | undefined): string {
  return window === undefined
    ? 'at any time'
    : `${window.days.join(', ')} from ${window.from} to ${window.to} (${window.timeZone})`;
}

function describeApproval({
  required,
  expiresAfter,
}: LocatedConfig['cutover']['approval']): string {
  return required ? `by a person; expires after ${expiresAfter}` : 'none needed';
}
