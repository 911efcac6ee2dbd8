import { z } from 'zod';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import { PROJECT_PATH, refuseUnready } from './project-routes.ts';
import type { CommandBody, TaskBody, TaskProperties } from './schemas.ts';
import { API_VERSIONS, commandBody, NAMESPACE, taskBody } from './schemas.ts';
import type { DataMigrations, KeptCommand, KeptTask } from './state.ts';
import { isActive } from './state.ts';
import type { TaskRuns } from './task-runs.ts';
import { commandView, taskView } from './task-view.ts';

const TYPE = `${NAMESPACE}/services/projects/tasks`;
const TASKS = `${PROJECT_PATH}/tasks`;
const TASK = `${TASKS}/{task}`;

export function taskRoutes(kept: DataMigrations, runs: TaskRuns): ArmRoute[] {
  const shown = ({ params, request }: ArmCall, task: KeptTask, status = 200) => {
    const expand = (request.query.get('$expand') ?? '').split(',');
    const service = kept.service(params);
    const project = kept.project(params).name;
    return json(status, taskView(service, project, task, expand.includes('output')));
  };
  const common = { path: TASK, apiVersions: API_VERSIONS };
  return [
    {
      ...common,
      operation: 'Tasks_Get',
      method: 'GET',
      action: `${TYPE}/read`,
      answer: async (call) => shown(call, kept.task(call.params)),
    },
    {
      operation: 'Tasks_List',
      method: 'GET',
      path: TASKS,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params, request }) => {
        const wanted = request.query.get('taskType');
        const [service, project] = [kept.service(params), kept.project(params)];
        const tasks = Object.values(project.tasks).filter(
          ({ taskType }) => wanted === null || taskType === wanted,
        );
        const value = tasks.map((task) => taskView(service, project.name, task, false));
        return json(200, { value });
      },
    },
    {
      ...common,
      operation: 'Tasks_CreateOrUpdate',
      method: 'PUT',
      action: `${TYPE}/write`,
      body: taskBody,
      answer: async (call) => {
        const { params, fault } = call;
        const { properties } = call.body as TaskBody;
        const project = kept.project(params);
        const existing = kept.findTask(params);
        if (existing !== null) {
          // Tasks have nothing that could be changed.
          if (existing.taskType === properties.taskType) return shown(call, existing);
          throw new ArmError(
            409,
            'TaskAlreadyExists',
            `The task '${existing.name}' already exists and is of another type.`,
          );
        }
        refuseUnready(kept.service(params));
        const task = newTask(params['task'] ?? '', properties);
        project.tasks[task.name.toLowerCase()] = task;
        await kept.save();
        runs.start(task, properties, fault);
        return shown(call, task, 201);
      },
    },
    {
      ...common,
      operation: 'Tasks_Delete',
      method: 'DELETE',
      action: `${TYPE}/delete`,
      answer: async ({ params, request }) => {
        const service = kept.findService(params);
        const project = service === null ? null : kept.findProject(params);
        const task = project === null ? null : kept.findTask(params);
        if (project === null || task === null) return { status: 204 };
        if (isActive(task) && request.query.get('deleteRunningTasks') !== 'true') {
          throw new ArmError(400, 'TaskIsRunning', `The task '${task.name}' is running.`);
        }
        await runs.cancel(task);
        delete project.tasks[task.name.toLowerCase()];
        await kept.save();
        return { status: 200 };
      },
    },
    {
      operation: 'Tasks_Cancel',
      method: 'POST',
      path: `${TASK}/cancel`,
      action: `${TYPE}/cancel/action`,
      apiVersions: API_VERSIONS,
      body: z.undefined(),
      answer: async (call) => {
        const task = kept.task(call.params);
        if (isActive(task)) await runs.cancel(task);
        return shown(call, task);
      },
    },
    {
      operation: 'Tasks_Command',
      method: 'POST',
      path: `${TASK}/command`,
      action: `${TYPE}/command/action`,
      apiVersions: API_VERSIONS,
      body: commandBody,
      answer: async ({ params, body, fault }) => {
        const task = kept.task(params);
        const { input } = body as CommandBody;
        refuseEarly(task, input.databaseName);
        const command: KeptCommand = { input, state: 'Accepted', errors: [] };
        if (fault !== null) {
          const message = 'The command was told to fail.';
          command.errors.push({ code: fault.code ?? 'InternalServerError', message });
        }
        task.commands.push(command);
        await kept.save();
        return json(200, commandView(command, 'Accepted'));
      },
    },
  ];
}

/** @throws ArmError unless the database is loaded and followed */
function refuseEarly(task: KeptTask, name: string): void {
  if (task.state !== 'Running' || task.sync === null) {
    throw new ArmError(400, 'TaskNotRunning', `The task '${task.name}' takes no command now.`);
  }
  const database = task.sync.databases.find((candidate) => candidate.name === name);
  if (database === undefined) {
    throw new ArmError(400, 'DatabaseNotFound', `The task does not migrate '${name}'.`);
  }
  if (database.loaded) return;
  throw new ArmError(
    400,
    'InvalidDatabaseState',
    `The full load of '${name}' is not completed; its state is '${database.state}'.`,
  );
}

function newTask(name: string, { taskType, input, clientData }: TaskProperties): KeptTask {
  return {
    name,
    taskType,
    input: withoutPasswords(input),
    clientData: clientData ?? null,
    state: 'Queued',
    errors: [],
    commands: [],
    found: null,
    sync: null,
  };
}

function withoutPasswords(input: unknown): unknown {
  return JSON.parse(
    JSON.stringify(input, (key, value: unknown) => (key === 'password' ? undefined : value)),
  );
}
