import pc from 'picocolors';
import type { Plan } from '../plan/plan.ts';
import { engineLines } from './engine-lines.ts';
import { formatBytes, formatCount, formatDuration } from './numbers.ts';

const LISTED_TABLES = 20;

/** `columns`: of the terminal. */
export function planLines(plan: Plan, hash: string, columns?: number): string[] {
  const { estimates, cutover, objects, foreignKeys } = plan;
  const phaseWidth = Math.max(...plan.steps.map(({ phase }) => phase.length));
  return [
    `${pc.bold(`Plan of migration/${plan.name}`)}  ${pc.dim(`hash ${hash}`)}`,
    `${plan.source} → ${plan.target}  schemas ${plan.schemas.join(', ')}; engine ${plan.engine}`,
    `${plan.tableCount} tables, ~${formatCount(estimates.rows)} rows, ~${formatBytes(estimates.bytes)}; load ~${formatDuration(estimates.loadSeconds * 1000)} at a cautious rate`,
    `${objects.views} views, ${objects.routines} routines, ${objects.triggers} triggers, ${objects.events} events, ${foreignKeys.count} foreign keys (${foreignKeys.cascading} cascading)`,
    '',
    ...engineLines(plan, columns),
    '',
    ...plan.steps.map(({ phase, does }) => `  ${pc.cyan(phase.padEnd(phaseWidth))}  ${does}`),
    '',
    pc.bold('Tables'),
    ...plan.tables
      .slice(0, LISTED_TABLES)
      .map(
        ({ table, rows, bytes, key }) =>
          `  ${table}  ~${formatCount(rows)} rows, ~${formatBytes(bytes)}, ${key === null ? pc.yellow('no key') : `key ${key}`}`,
      ),
    ...(plan.tableCount > LISTED_TABLES ? [`  … and ${plan.tableCount - LISTED_TABLES} more`] : []),
    '',
    ...cutoverLines(cutover),
    `  way back   ${pc.yellow(cutover.wayBack)}`,
    '',
    pc.bold('Changes on the source'),
    ...plan.changesOnSource.map((line) => `  ${line}`),
    pc.bold('Changes on the target'),
    ...plan.changesOnTarget.map((line) => `  ${line}`),
    ...(plan.warnings.length === 0
      ? []
      : ['', pc.bold('Warnings'), ...plan.warnings.map((line) => `  ${pc.yellow('!')} ${line}`)]),
  ];
}

export function cutoverLines(cutover: Plan['cutover']): string[] {
  return [
    pc.bold('Cutover'),
    `  fence      ${cutover.fence}${cutover.alsoFenced.length > 0 ? `, which also stops ${cutover.alsoFenced.join(', ')}` : ''}`,
    ...(cutover.rehearsal === undefined ? [] : [`  rehearsed  ${cutover.rehearsal}`]),
    `  window     ${cutover.window}`,
    `  approval   ${cutover.approval}`,
    `  budget     ${cutover.downtimeBudget} of write downtime; beyond it, before the switch, the source takes writes again`,
    ...(cutover.switches.length === 0
      ? ['  switches   none']
      : cutover.switches.map((line) => `  switch     ${line}`)),
  ];
}
