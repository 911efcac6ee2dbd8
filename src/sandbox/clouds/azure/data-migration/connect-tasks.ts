import type { CloudContext } from '../../service.ts';
import type { ServerFacts } from './endpoint.ts';
import { endpointOf, readFacts } from './endpoint.ts';
import type { TaskProperties } from './schemas.ts';
import type { TaskError } from './task-error.ts';
import { reported } from './task-error.ts';

type InputOf<T extends TaskProperties['taskType']> = Extract<
  TaskProperties,
  { taskType: T }
>['input'];

/** The output of `ConnectToSource.MySql`: a login that succeeds, and what is wrong beyond it. */
export async function connectToSource(
  context: CloudContext,
  input: InputOf<'ConnectToSource.MySql'>,
  signal: AbortSignal,
): Promise<unknown> {
  const { sourceConnectionInfo: info, isOfflineMigration = false } = input;
  const facts = await readFacts(await endpointOf(context, info), signal);
  return {
    id: 'source',
    sourceServerBrandVersion: facts.brand,
    serverProperties: {
      serverPlatform: 'MySQL',
      serverName: info.serverName,
      serverVersion: facts.version,
      serverEdition: facts.brand,
      serverOperatingSystemVersion: 'Linux',
      serverDatabaseCount: facts.databases.length,
    },
    databases: facts.databases,
    validationErrors: isOfflineMigration ? [] : sourceProblems(facts).map(reported),
  };
}

/** The output of `ConnectToTarget.AzureDbForMySql`. */
export async function connectToTarget(
  context: CloudContext,
  input: InputOf<'ConnectToTarget.AzureDbForMySql'>,
  signal: AbortSignal,
): Promise<unknown> {
  await readFacts(await endpointOf(context, input.sourceConnectionInfo), signal);
  const facts = await readFacts(await endpointOf(context, input.targetConnectionInfo), signal);
  return {
    id: 'target',
    serverVersion: facts.version,
    databases: facts.databases,
    targetServerBrandVersion: facts.brand,
    validationErrors: input.isOfflineMigration === true ? [] : targetProblems(facts).map(reported),
  };
}

export function sourceProblems({ globals, privileges }: ServerFacts): TaskError[] {
  const problems: TaskError[] = [];
  const wanted = { log_bin: 'ON', binlog_format: 'ROW', binlog_row_image: 'FULL' };
  for (const [name, value] of Object.entries(wanted)) {
    if ((globals[name] ?? value).toUpperCase() === value) continue;
    const message = `The server variable ${name} must be ${value} on the source.`;
    problems.push({ code: 'InvalidServerVariable', message });
  }
  return [...problems, ...missing(privileges, ['REPLICATION SLAVE', 'REPLICATION CLIENT'])];
}

export function targetProblems({ privileges }: ServerFacts): TaskError[] {
  if (privileges.has('BINLOG_ADMIN') || privileges.has('SUPER')) return [];
  return missing(privileges, ['REPLICATION_APPLIER']);
}

function missing(privileges: ReadonlySet<string>, wanted: readonly string[]): TaskError[] {
  return wanted
    .filter((name) => !privileges.has(name))
    .map((name) => ({
      code: 'MissingPrivilege',
      message: `The account lacks the privilege ${name}.`,
    }));
}
