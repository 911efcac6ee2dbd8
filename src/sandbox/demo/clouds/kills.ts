import type { Engine } from '../../../config/schema.ts';
import type { Phase } from '../../../workflows/messages.ts';

/** One moment at which the worker is killed: as soon as the activity is seen to run in that phase. */
export interface PlannedKill {
  readonly phase: Phase;
  readonly activity: string;
  /** For people: while … */
  readonly during: string;
  /** Not at once, but when the activity has locked the applications out. */
  readonly fenced: boolean;
}

type Line = readonly [phase: Phase, activity: string, during: string];

/** Every phase that works, in the order in which a migration takes them. */
const everywhere: readonly Line[] = [
  ['preparing', 'completeAct', 'the clouds are being prepared'],
  ['preflight', 'runPreflight', 'both servers are checked'],
  ['provisioning', 'provision', 'schemas and the starting position are made'],
  ['full-load', 'copyTables', 'rows are loaded'],
  ['full-load', 'converge', 'every loaded row is made exact'],
  ['full-load', 'buildIndexes', 'indexes and foreign keys are built'],
  ['catching-up', 'applyChanges', 'changes are applied'],
  ['resizing', 'completeAct', 'the target is resized'],
  ['verifying', 'verifyTables', 'every row is compared'],
  ['awaiting-approval', 'watchLag', 'it waits for the approval, changes being applied'],
  ['cutting-over', 'cutOver', 'the source is fenced'],
  ['cutting-over', 'completeMigration', 'it completes, switched'],
];

/** What another engine does within a phase has another name for people; the activities are the same. */
const ownWords: Record<Engine, Readonly<Record<string, string>>> = {
  'built-in': {},
  native: { applyChanges: "MySQL's replication is taken over from the copy" },
  'azure-dms': {
    copyTables: "Azure's service loads the rows",
    converge: "Azure's service catches up with its load",
    applyChanges: "Azure's service applies changes",
  },
};

/** Those of the demo without clouds: during the load and during catch-up. */
export function twoKills(): PlannedKill[] {
  const chosen = ['copyTables', 'applyChanges'];
  return killsOf('built-in').filter(({ activity }) => chosen.includes(activity));
}

export function killsOf(engine: Engine): PlannedKill[] {
  return everywhere.map(([phase, activity, during]) => ({
    phase,
    activity,
    during: ownWords[engine][activity] ?? during,
    fenced: activity === 'cutOver',
  }));
}
