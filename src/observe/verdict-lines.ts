import pc from 'picocolors';
import type { Verdict } from '../verify/verdict.ts';
import { formatCount, formatDuration } from './numbers.ts';

export function verdictLines(verdict: Verdict): string[] {
  const { tables, differing, differingCount, unsettledCount, rows, seconds } = verdict;
  const width = Math.max(0, ...tables.map(({ table }) => table.length));
  return [
    ...tables.map(
      ({ table, rows: count, differing: wrong, digest }) =>
        `${wrong === 0 ? pc.green('✓') : pc.red('✗')} ${table.padEnd(width)}  ${formatCount(count).padStart(8)} rows  ${pc.dim(digest?.slice(0, 16) ?? '')}${wrong === 0 ? '' : `  ${wrong} differ`}`,
    ),
    ...differing.map(({ table, key, kind }) => `  ${pc.red(kind)} ${table} ${key}`),
    ...(differingCount > differing.length
      ? [`  … and ${differingCount - differing.length} more`]
      : []),
    '',
    `${formatCount(rows)} rows compared in ${formatDuration(seconds * 1000)}: ${differingCount} differ, ${unsettledCount} were still changing and are compared again at the fence`,
  ];
}
