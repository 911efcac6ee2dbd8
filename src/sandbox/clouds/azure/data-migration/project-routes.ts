import { ArmError, json } from '../arm-error.ts';
import type { ArmRoute } from '../arm.ts';
import type { ProjectBody } from './schemas.ts';
import { API_VERSIONS, NAMESPACE, projectBody } from './schemas.ts';
import { SERVICE_PATH } from './service-routes.ts';
import type { DataMigrations, KeptProject, KeptService } from './state.ts';
import { isActive, serviceId } from './state.ts';
import type { TaskRuns } from './task-runs.ts';

const TYPE = `${NAMESPACE}/services/projects`;
export const PROJECT_PATH = `${SERVICE_PATH}/projects/{project}`;

export function projectRoutes(kept: DataMigrations, runs: TaskRuns): ArmRoute[] {
  const common = { path: PROJECT_PATH, apiVersions: API_VERSIONS };
  return [
    {
      operation: 'Projects_List',
      method: 'GET',
      path: `${SERVICE_PATH}/projects`,
      action: `${TYPE}/read`,
      apiVersions: API_VERSIONS,
      answer: async ({ params }) => {
        const service = kept.service(params);
        const value = Object.values(service.projects).map((p) => projectView(service, p));
        return json(200, { value });
      },
    },
    {
      ...common,
      operation: 'Projects_Get',
      method: 'GET',
      action: `${TYPE}/read`,
      answer: async ({ params }) =>
        json(200, projectView(kept.service(params), kept.project(params))),
    },
    {
      ...common,
      operation: 'Projects_CreateOrUpdate',
      method: 'PUT',
      action: `${TYPE}/write`,
      body: projectBody,
      answer: async ({ params, body }) => {
        const { location, tags = {}, properties } = body as ProjectBody;
        const { sourcePlatform, targetPlatform, databasesInfo = [] } = properties;
        refuseOtherPlatforms(properties);
        const service = kept.service(params);
        const { project: name = '' } = params;
        const existing = kept.findProject(params);
        if (existing !== null) {
          existing.tags = tags;
          existing.databases = databasesInfo;
        } else {
          refuseUnready(service);
          service.projects[name.toLowerCase()] = {
            name,
            location,
            createdAt: new Date().toISOString(),
            tags,
            properties: { sourcePlatform, targetPlatform },
            databases: databasesInfo,
            tasks: {},
          };
        }
        await kept.save();
        return json(existing === null ? 201 : 200, projectView(service, kept.project(params)));
      },
    },
    {
      ...common,
      operation: 'Projects_Delete',
      method: 'DELETE',
      action: `${TYPE}/delete`,
      answer: async ({ params, request }) => {
        const service = kept.findService(params);
        const project = service === null ? null : kept.findProject(params);
        if (service === null || project === null) return { status: 204 };
        const active = Object.values(project.tasks).filter(isActive);
        if (active.length > 0 && request.query.get('deleteRunningTasks') !== 'true') {
          throw new ArmError(
            400,
            'ProjectIsBusy',
            `The project '${project.name}' has running tasks.`,
          );
        }
        await Promise.all(active.map((task) => runs.cancel(task)));
        delete service.projects[project.name.toLowerCase()];
        await kept.save();
        return { status: 200 };
      },
    },
  ];
}

/** @throws ArmError while the service is not there to work */
export function refuseUnready({ name, state }: KeptService): void {
  if (state === 'Succeeded') return;
  throw new ArmError(
    400,
    'ServiceNotReady',
    `The service '${name}' is in state '${state}' and cannot take this request.`,
  );
}

function refuseOtherPlatforms(properties: ProjectBody['properties']): void {
  const { sourcePlatform, targetPlatform } = properties;
  if (sourcePlatform === 'MySQL' && targetPlatform === 'AzureDbForMySql') return;
  throw new ArmError(
    400,
    'UnsupportedPlatforms',
    `Migrations from '${sourcePlatform}' to '${targetPlatform}' are not supported.`,
  );
}

function projectView(service: KeptService, project: KeptProject): unknown {
  const { name, location, tags, createdAt, properties, databases } = project;
  return {
    id: `${serviceId(service)}/projects/${name}`,
    name,
    type: TYPE,
    location,
    tags,
    properties: {
      ...properties,
      creationTime: createdAt,
      databasesInfo: databases,
      provisioningState: 'Succeeded',
    },
  };
}
