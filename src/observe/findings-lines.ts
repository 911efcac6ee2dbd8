import pc from 'picocolors';
import type { Finding, Severity } from '../preflight/finding.ts';

const mark: Record<Severity, string> = {
  blocker: pc.red('✗ blocker'),
  warning: pc.yellow('! warning'),
  info: pc.cyan('i info   '),
  ok: pc.green('✓ ok     '),
};

/** What stops it comes last, where a terminal leaves the eye. */
const order: readonly Severity[] = ['ok', 'info', 'warning', 'blocker'];

export function findingsLines(findings: readonly Finding[]): string[] {
  const sorted = [...findings].sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity),
  );
  const count = (severity: Severity) => findings.filter((f) => f.severity === severity).length;
  return [
    ...sorted.flatMap(({ severity, code, object, found, fix }) => [
      `${mark[severity]}  ${pc.bold(code)}${object === undefined ? '' : `  ${object}`}`,
      `             ${found}`,
      ...(fix === undefined ? [] : [`             ${pc.bold('fix:')} ${fix}`]),
    ]),
    '',
    `${counted(count('blocker'), 'blocker')}, ${counted(count('warning'), 'warning')}, ${counted(count('info'), 'note')}, ${counted(count('ok'), 'check')} without a finding`,
  ];
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
