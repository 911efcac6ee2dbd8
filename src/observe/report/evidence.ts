import type { NamedRows } from '../../verify/named-rows.ts';
import type { MigrationReport } from '../../workflows/results.ts';

/** What the report is made of: the workflow's own answer, and what others measured beside it. */
export interface ReportEvidence {
  readonly report: MigrationReport;
  /** What an application saw of the cutover, e.g. the sandbox's writer by its ledger. */
  readonly application?: ApplicationEvidence;
  /** There when rows differ: which, or why they cannot be named here. */
  readonly rows?: RowsEvidence;
  readonly generatedAt: string;
}

export type RowsEvidence =
  | (NamedRows & { readonly named: true })
  | { readonly named: false; readonly why: string; readonly how: string };

/** The last comparison, of all tables or at the fence, found rows that differ or could not be settled. */
export function rowsDiffer({ status, verification }: MigrationReport): boolean {
  return verification?.equal === false || status.failure?.code === 'ROWS_DIFFER';
}

/** One line a row that the last comparison named. */
export function namedRowLines({ differing, unsettled }: NamedRows): string[] {
  return [
    ...differing.map(({ table, key, kind }) => `${kind} ${table} ${key}`),
    ...unsettled.map(({ table, key }) => `still changing ${table} ${key}`),
  ];
}

export interface ApplicationEvidence {
  readonly source: string;
  readonly acknowledged: number;
  readonly missing: number;
  readonly doubled: number;
  readonly unexpected: number;
  readonly ok: boolean;
  readonly outages: readonly { readonly from: string; readonly to: string; readonly ms: number }[];
}

/** A phase that was entered several times, e.g. catching-up again after lag rose, is one row of its sum. */
export interface PhaseDuration {
  readonly phase: string;
  readonly startedAt: string;
  readonly ms: number;
  readonly times: number;
}

export function phaseDurations({ status }: MigrationReport, now: number): PhaseDuration[] {
  const durations = new Map<string, PhaseDuration>();
  for (const { phase, startedAt, endedAt } of status.history) {
    const ms = (endedAt === undefined ? now : Date.parse(endedAt)) - Date.parse(startedAt);
    const before = durations.get(phase);
    durations.set(phase, {
      phase,
      startedAt: before?.startedAt ?? startedAt,
      ms: (before?.ms ?? 0) + ms,
      times: (before?.times ?? 0) + 1,
    });
  }
  return [...durations.values()].filter(({ phase }) => phase !== 'completed');
}

/** One row a table: what was copied and what the comparison found. */
export interface TableEvidence {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly verifiedRows: number | undefined;
  readonly digest: string | undefined;
  readonly differing: number | undefined;
}

export function tableEvidence({ copy, verification }: MigrationReport): TableEvidence[] {
  const verified = new Map((verification?.tables ?? []).map((table) => [table.table, table]));
  const copied = new Map((copy?.tables ?? []).map((table) => [table.table, table]));
  return [...new Set([...copied.keys(), ...verified.keys()])]
    .map((table) => ({
      table,
      rows: copied.get(table)?.rows ?? 0,
      bytes: copied.get(table)?.bytes ?? 0,
      seconds: copied.get(table)?.seconds ?? 0,
      verifiedRows: verified.get(table)?.rows,
      digest: verified.get(table)?.digest ?? undefined,
      differing: verified.get(table)?.differing,
    }))
    .sort((a, b) => b.bytes - a.bytes || (a.table < b.table ? -1 : 1));
}

/** How many tables the history of a very large number of them does not list; they were moved like the others. */
export function unlistedTables(report: MigrationReport): string[] {
  const unlisted = (report.plan?.plan.tableCount ?? 0) - tableEvidence(report).length;
  if (unlisted <= 0 || report.copy === null) return [];
  return [`and ${unlisted} smaller tables; skyferry verify lists all, before the switch`];
}

/** One line a table with JSON documents that are equal as text only. */
export function documentLines({ copy }: MigrationReport): string[] {
  return (copy?.tables ?? []).flatMap(({ table, documentsAsText = 0 }) =>
    documentsAsText === 0
      ? []
      : [
          `${table}: ${documentsAsText} JSON documents hold a scalar of a type that no expression makes (such as TINYBLOB); it was copied as a string of the same text`,
        ],
  );
}

/**
 * The longest outage that the application saw around the cutover: what it calls the downtime. Reboots that
 * the preparation made before are outages of their own, in the list.
 */
export function applicationDowntimeMs(
  { outages }: ApplicationEvidence,
  { cutover }: MigrationReport,
): number {
  const began = cutover?.steps[0]?.startedAt;
  const since = began === undefined ? 0 : Date.parse(began);
  const around = outages.filter(({ to }) => Date.parse(to) >= since);
  return Math.max(0, ...around.map(({ ms }) => ms));
}
