import type { TaskView } from '../../clouds/azure/data-migration/task-view.ts';
import type { FailureCode } from '../../failures.ts';
import { SkyferryFailure } from '../../failures.ts';
import { textOf } from './service-text.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly hint: string;
}

/** What DMS's own codes mean, and what helps; of others the state of the task decides. */
const meanings: Readonly<Record<string, Meaning>> = {
  AccessDenied: {
    code: 'ACCESS_DENIED',
    hint: 'see whether the account exists and may log in from the subnet of the service',
  },
  CannotConnectToServer: {
    code: 'CLOUD_FAILED',
    hint: 'see whether the subnet of the service reaches that server: routes, DNS, firewall rules, security groups',
  },
  MissingPrivilege: { code: 'ACCESS_DENIED', hint: 'GRANT it' },
  InvalidServerVariable: {
    code: 'CONFIG_INVALID',
    hint: 'set it on the server',
  },
  InvalidSku: {
    code: 'CONFIG_INVALID',
    hint: 'azureDms.service has to name a service of the Premium tier',
  },
  MixedCaseName: {
    code: 'CONFIG_INVALID',
    hint: 'DMS moves no databases whose names have upper-case letters: switch-engine to built-in',
  },
  SqlModeMismatch: {
    code: 'CONFIG_INVALID',
    hint: 'make sql_mode the same on both servers as to NO_ZERO_DATE',
  },
  ConnectionsLost: {
    code: 'REPLICATION_LOST',
    hint: 'a task of DMS does not survive the loss of its connections: see what ended them',
  },
  UnsupportedStatement: {
    code: 'REPLICATION_LOST',
    hint: 'DMS applies no changes of definitions: make none until the switch',
  },
};

const RELOADS =
  'retry-phase empties the target and loads it anew; switch-engine does so with another engine';
const SAFE = 'the source takes writes as before; nothing reads the target yet';

interface Reason {
  readonly code: string;
  readonly message: string;
}

/** Of a task that only looks at a server. null: it is as it should be, or not at its end. */
export function refusedConnection(
  { state, end, errors, problems, unknown }: TaskView,
  server: 'source' | 'target',
): SkyferryFailure | null {
  if (unknown.length > 0) return unknownWords(`connect-${server}`, unknown);
  if (end === null || (end === 'succeeded' && problems.length === 0)) return null;
  const [first] = end === 'failed' ? errors : problems;
  const meaning = meanings[first?.code ?? ''];
  const what =
    end === 'failed'
      ? `Azure DMS cannot connect to the ${server} (${state})`
      : `Azure DMS finds the ${server} not ready`;
  return new SkyferryFailure(
    meaning === undefined || meaning.code === 'REPLICATION_LOST' ? 'CLOUD_FAILED' : meaning.code,
    `${what}: ${reasonsOf(end === 'failed' ? errors : problems)}`,
    {
      safe: 'no row was moved',
      next: `${meaning?.hint ?? `mend that on the ${server}`}; then retry-phase`,
    },
  );
}

/** Whether the task is as one that moves rows should be. Its end by our own command is the caller's to know. */
export function judgeSync(task: string, view: TaskView): SkyferryFailure | null {
  const { state, end, errors, sync, unknown } = view;
  if (unknown.length > 0) return unknownWords(task, unknown);
  const reasons = errors.length > 0 ? errors : (sync?.errors ?? []);
  if (end === 'failed') return ended(task, state, reasons);
  if (end === 'succeeded') return lost(`its task ${task} was completed by somebody else`, []);
  const dead = deadDatabases(view);
  if (dead !== null) return lost(`in its task ${task} ${dead}`, reasons);
  const bad = sync?.tables.filter((table) => deadTable.has(table.state)) ?? [];
  if (bad.length === 0) return null;
  const names = bad.map(({ database, table, state: how }) => `${database}.${table} (${how})`);
  return lost(`its task ${task} could not load ${names.slice(0, 10).join(', ')}`, reasons);
}

/** Of a task that is to complete its databases. */
export function judgeCompletion(task: string, view: TaskView): SkyferryFailure | null {
  const { state, end, errors, sync, unknown } = view;
  const reasons = errors.length > 0 ? errors : (sync?.errors ?? []);
  if (unknown.length > 0) {
    return notCompleted(task, `it says what is not known: ${unknown.join(', ')}`);
  }
  if (end === 'failed') return notCompleted(task, `it ended as ${state}: ${reasonsOf(reasons)}`);
  const dead = deadDatabases(view);
  return dead === null ? null : notCompleted(task, `${dead}: ${reasonsOf(reasons)}`);
}

/** null: none of them. */
function deadDatabases({ sync }: TaskView): string | null {
  const dead = sync?.databases.filter(({ state }) => deadDatabase.has(state)) ?? [];
  return dead.length === 0 ? null : dead.map(({ name, state }) => `${name} is ${state}`).join(', ');
}

const deadDatabase = new Set(['CANCELLING', 'CANCELLED', 'FAILED', 'VALIDATION_FAILED']);
const deadTable = new Set(['CANCELED', 'ERROR', 'FAILED']);

/** Refused before any row was moved: what is there stays good, and another task may be begun. */
export function wasRefused({ state }: TaskView): boolean {
  return state === 'FailedInputValidation';
}

function ended(task: string, state: string, reasons: readonly Reason[]): SkyferryFailure {
  const [first] = reasons;
  const meaning = meanings[first?.code ?? ''];
  if (state !== 'FailedInputValidation') {
    return lost(`its task ${task} ended as ${state}`, reasons, meaning?.hint);
  }
  return new SkyferryFailure(
    meaning === undefined || meaning.code === 'REPLICATION_LOST' ? 'CONFIG_INVALID' : meaning.code,
    `Azure DMS refuses this migration (${task}, ${state}): ${reasonsOf(reasons)}`,
    {
      safe: 'no row was moved',
      next: `${meaning?.hint ?? 'mend what the code names, or switch-engine'}; then retry-phase`,
    },
  );
}

function lost(what: string, reasons: readonly Reason[], hint?: string): SkyferryFailure {
  const why = reasons.length === 0 ? '' : `: ${reasonsOf(reasons)}`;
  return new SkyferryFailure('REPLICATION_LOST', `Azure DMS cannot go on, ${what}${why}`, {
    safe: SAFE,
    next: hint === undefined ? RELOADS : `${hint}; ${RELOADS}`,
  });
}

export function vanished(task: string): SkyferryFailure {
  return lost(`its task ${task} is not there any more`, []);
}

/** By an abort that did not come to its end. */
export function givenUp(): SkyferryFailure {
  return lost('its task was ended and given up', []);
}

/** While the cutover completes it: our own applier can go on from there. */
export function notCompleted(task: string, why: string): SkyferryFailure {
  return new SkyferryFailure('CLOUD_FAILED', `Azure DMS did not complete ${task}: ${why}`, {
    safe: 'the cutover is taken back; Skyferry’s own applier goes on from what DMS has applied',
    next: 'retry-phase, and approve again',
  });
}

/** Not lost: what a newer service calls so may be as good as what is known. */
function unknownWords(task: string, unknown: readonly string[]): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_FAILED',
    `Azure DMS says of ${task} what this version does not know: ${unknown.slice(0, 10).join(', ')}`,
    {
      safe: 'the task was left as it is',
      next: 'see what it means in the portal; retry-phase looks again, switch-engine loads anew with another engine',
    },
  );
}

export function reasonsOf(reasons: readonly Reason[]): string {
  if (reasons.length === 0) return 'it gives no reason';
  return reasons
    .slice(0, 3)
    .map(({ code, message }) => [code, textOf(message)].filter((text) => text !== '').join(': '))
    .join('; ');
}
