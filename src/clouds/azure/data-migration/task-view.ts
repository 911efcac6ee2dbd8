import type { Raw } from './raw.ts';
import { listOf, rawOf, textOf } from './raw.ts';
import type { Reported, SyncView } from './sync-view.ts';
import { toReported, toSyncView } from './sync-view.ts';
import {
  commandStates,
  databaseStates,
  resultTypes,
  tableStates,
  taskStates,
} from './vendor-lists.ts';

export type { SyncView } from './sync-view.ts';

export interface TaskView {
  readonly state: string;
  /** null: not at its end, also in a state that nobody knows. */
  readonly end: null | 'succeeded' | 'failed';
  readonly errors: readonly Reported[];
  /** What a connection’s test found wrong though it could log in. */
  readonly problems: readonly Reported[];
  /** Oldest first. */
  readonly commands: readonly CommandView[];
  /** null: no migration, or one that has not said anything yet. */
  readonly sync: SyncView | null;
  /** States and result types that are not in the vendor’s lists. */
  readonly unknown: readonly string[];
}

interface CommandView {
  readonly database: string;
  readonly state: string;
  readonly errors: readonly Reported[];
}

const MIGRATION = 'Migrate.MySql.AzureDbForMySql.Sync';

/** Of a task as the service answers, `$expand=output`. */
export function toTaskView(answer: unknown): TaskView {
  const properties = rawOf(rawOf(answer)['properties']);
  const state = textOf(properties['state']);
  const output = listOf(properties['output']);
  const isMigration = properties['taskType'] === MIGRATION;
  const sync = isMigration && output.length > 0 ? toSyncView(output) : null;
  const commands = listOf(properties['commands']).map(toCommand);
  return {
    state,
    end: taskStates[state] ?? null,
    errors: listOf(properties['errors']).map(toError),
    problems: isMigration
      ? []
      : output.flatMap((one) => listOf(one['validationErrors'])).map(toReported),
    commands,
    sync,
    unknown: [
      ...(state in taskStates ? [] : [`task state ${state}`]),
      ...commands
        .filter((command) => !commandStates.has(command.state))
        .map((command) => `command state ${command.state}`),
      ...(isMigration ? unknownTypes(output) : []),
      ...(sync === null ? [] : unknownStates(sync)),
    ],
  };
}

function toCommand(command: Raw): CommandView {
  return {
    database: textOf(rawOf(command['input'])['databaseName']),
    state: textOf(command['state']),
    errors: listOf(command['errors']).map(toError),
  };
}

function toError({ code, message }: Raw): Reported {
  return { code: textOf(code), message: textOf(message) };
}

function unknownTypes(output: readonly Raw[]): string[] {
  const types = new Set(output.map(({ resultType }) => textOf(resultType)));
  return [...types].filter((type) => !resultTypes.has(type)).map((type) => `result type ${type}`);
}

function unknownStates({ databases, tables }: SyncView): string[] {
  return [
    ...databases
      .filter(({ state }) => !databaseStates.has(state))
      .map(({ name, state }) => `database state ${state} of ${name}`),
    ...tables
      .filter(({ state }) => !tableStates.has(state))
      .map(({ database, table, state }) => `table state ${state} of ${database}.${table}`),
  ];
}
