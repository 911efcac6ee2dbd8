import type { Formers } from '../act.ts';
import type { SourceInput } from './source.ts';
import { openSource, OWNER_TAG, ownGroupName } from './source.ts';

export interface UndoSourceInput extends SourceInput {
  readonly formers: Formers;
  readonly deleteCreated: boolean;
}

/**
 * What abort does about the source: what would interrupt it is only said, with the command. The own group
 * is removed when it is attached to nothing and that was asked for. One line each; safe to repeat.
 */
export async function undoSource(
  input: UndoSourceInput,
  { signal }: { readonly signal: AbortSignal },
): Promise<string[]> {
  const source = await openSource(input);
  const { server, api, groups } = source;
  const { formers, deleteCreated } = input;
  const lines: string[] = [];
  const view = await api.view(server, signal);
  const name = ownGroupName(source);
  const formerGroup = formers['aws/attach-parameter-group']?.['group'];
  if (formerGroup !== undefined && view?.parameterGroup === name) {
    const [command, option] =
      server.scope === 'instance'
        ? ['modify-db-instance --db-instance-identifier', '--db-parameter-group-name']
        : ['modify-db-cluster --db-cluster-identifier', '--db-cluster-parameter-group-name'];
    lines.push(
      `${server.id} keeps the parameter group ${name} (before: ${formerGroup}): going back takes a reboot. aws rds ${command} ${server.id} ${option} ${formerGroup}`,
    );
  }
  const values = Object.entries(formers['aws/parameter-group'] ?? {});
  if (values.length > 0) {
    lines.push(
      `${server.id} keeps the parameters that were set; before: ${values.map(([key, value]) => `${key}=${value}`).join(', ')}`,
    );
  }
  if (formers['aws/backup-retention'] !== undefined) {
    lines.push(
      `the automated backups of ${server.id} stay on (before: 0 days): turning them off is an outage and deletes them`,
    );
  }
  const group = await groups.view(name, signal);
  if (group?.tags[OWNER_TAG] !== input.config.name) return lines;
  const users = await api.membersOf(name, server, signal);
  if (users.length > 0) return lines;
  if (!deleteCreated) {
    lines.push(`the parameter group ${name} was created and is attached to nothing`);
    return lines;
  }
  await groups.remove(name, signal);
  lines.push(`the parameter group ${name} is removed`);
  return lines;
}
