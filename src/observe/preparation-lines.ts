import pc from 'picocolors';
import type { PreparationStatus } from '../workflows/messages.ts';

type Act = PreparationStatus['acts'][number];

/** In the order of time; the acts of a moment stay in the order in which they are done. */
const moments = [
  ['preparation', 'before anything is copied'],
  ['before-window', 'caught up, before the window'],
  ['completion', 'after the switch'],
] as const;

/** From here on a list of settings is read better below its act than after it. */
const MANY_SETTINGS = 4;

/** What is made, changed or removed in clouds: before it is approved, while it goes on, afterwards. */
export function preparationLines(preparation: PreparationStatus, now: number): string[] {
  const { acts, running, facts, planHash, approval } = preparation;
  if (acts.length === 0 && running.length === 0) return [];
  return [
    `${pc.bold('Clouds')}  ${pc.dim(`plan ${planHash}`)}${approval === undefined ? '' : `  approved by ${approval.by} at ${approval.at}`}`,
    ...facts.map((fact) => `  ${pc.dim(fact)}`),
    ...moments.flatMap(([when, words]) => {
      const then = acts.filter((act) => act.when === when);
      return then.length === 0 ? [] : [`  ${pc.bold(words)}`, ...then.flatMap(actLines)];
    }),
    ...(running.length === 0 ? [] : [`  ${pc.bold('what runs now')}`]),
    ...running.map((resource) => `  ${runningLine(resource, now)}`),
  ];
}

function actLines(act: Act): string[] {
  if (act.done !== undefined) return [`  ${pc.green('✓')} ${act.name}  ${pc.dim(act.done)}`];
  const { does, settings } = splitSettings(act.does);
  const consequences = [
    ...settings,
    ...(act.interrupts === undefined ? [] : [pc.yellow(`interrupts: ${act.interrupts}`)]),
    ...(act.costs === undefined ? [] : [`costs: ${act.costs}`]),
    ...(act.cannotBeUndone === undefined
      ? []
      : [pc.yellow(`cannot be undone: ${act.cannotBeUndone}`)]),
    ...(act.undo === undefined ? [] : [pc.dim(`on abort: ${act.undo}`)]),
  ];
  return [
    `  ○ ${act.name}  ${does}${act.needsApproval ? pc.cyan(' [needs approval]') : ''}`,
    ...consequences.map((line) => `      ${line}`),
  ];
}

/** `set these: a=1, b=2, …` as one line for each; values may hold commas, but none with a space. */
function splitSettings(text: string): { does: string; settings: string[] } {
  const at = text.search(/ [a-z_0-9]+=\S*, /);
  const settings = at === -1 ? [] : text.slice(at + 1).split(', ');
  const areAll = settings.every((setting) => /^[a-z_0-9]+=\S*$/.test(setting));
  if (!areAll || settings.length <= MANY_SETTINGS) return { does: text, settings: [] };
  return { does: text.slice(0, at), settings };
}

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
