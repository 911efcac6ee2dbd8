import { NAMESPACE } from './schemas.ts';
import type { KeptCommand, KeptService, KeptTask } from './state.ts';
import { etagOf, serviceId } from './state.ts';
import { syncResults } from './sync/output.ts';
import { reported } from './task-error.ts';

export function taskView(
  service: KeptService,
  project: string,
  task: KeptTask,
  withOutput: boolean,
): unknown {
  const { name, taskType, input, clientData, state, errors, commands, found, sync } = task;
  const output = sync !== null ? syncResults(sync) : found === null ? [] : [found];
  const view = {
    id: `${serviceId(service)}/projects/${project}/tasks/${name}`,
    name,
    type: `${NAMESPACE}/services/projects/tasks`,
    properties: {
      taskType,
      input,
      ...(clientData !== null && { clientData }),
      state,
      errors,
      ...(commands.length > 0 && { commands: commands.map((one) => commandView(one, one.state)) }),
      ...(withOutput && { output }),
    },
  };
  return { ...view, etag: etagOf(view) };
}

export function commandView({ input, errors }: KeptCommand, state: KeptCommand['state']): unknown {
  return {
    commandType: 'Migrate.Sync.Complete.Database',
    input,
    state,
    ...(state === 'Failed' && { errors, output: { errors: errors.map(reported) } }),
  };
}
