import pc from 'picocolors';
import type { PreparationStatus } from '../workflows/messages.ts';

/** What is made, changed or removed in clouds: before it is approved, while it goes on, afterwards. */
export function preparationLines(preparation: PreparationStatus, now: number): string[] {
  const { acts, running, facts, planHash, approval } = preparation;
  if (acts.length === 0 && running.length === 0) return [];
  return [
    `${pc.bold('Clouds')}  ${pc.dim(`plan ${planHash}`)}${approval === undefined ? '' : `  approved by ${approval.by} at ${approval.at}`}`,
    ...facts.map((fact) => `  ${pc.dim(fact)}`),
    ...acts.flatMap(actLines),
    ...running.map((resource) => `  ${runningLine(resource, now)}`),
  ];
}

function actLines(act: PreparationStatus['acts'][number]): string[] {
  if (act.done !== undefined) return [`  ${pc.green('✓')} ${act.name}  ${pc.dim(act.done)}`];
  const consequences = [
    ...(act.interrupts === undefined ? [] : [pc.yellow(`interrupts ${act.interrupts}`)]),
    ...(act.costs === undefined ? [] : [`costs ${act.costs}`]),
    ...(act.cannotBeUndone === undefined
      ? []
      : [pc.yellow(`cannot be undone: ${act.cannotBeUndone}`)]),
  ];
  const when = act.when === 'preparation' ? '' : pc.dim(` (${whenWords[act.when] ?? act.when})`);
  return [
    `  ○ ${act.name}${when}  ${act.does}${act.needsApproval ? pc.cyan(' [needs approval]') : ''}`,
    ...consequences.map((line) => `      ${line}`),
  ];
}

const whenWords: Record<string, string> = {
  'before-window': 'before the window',
  completion: 'after the switch',
};

export function runningLine(
  { resource, hourly, since }: PreparationStatus['running'][number],
  now: number,
): string {
  if (hourly === undefined) return `${resource}: its price is not in the table`;
  const rate = `${hourly.toFixed(3)} USD an hour`;
  if (since === undefined) return `${resource}: ${rate}`;
  const hours = Math.max(0, now - Date.parse(since)) / 3_600_000;
  return `${resource} since ${since}: ${rate}, about ${(hours * hourly).toFixed(2)} USD so far`;
}
