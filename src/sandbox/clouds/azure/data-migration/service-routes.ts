import { z } from 'zod';
import type { CloudResponse } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';
import type { Operations } from '../operations.ts';
import type { ServiceBody, ServiceUpdateBody } from './schemas.ts';
import { API_VERSIONS, NAMESPACE, serviceBody, serviceUpdateBody, taskTypes } from './schemas.ts';
import { serviceView, stateOf } from './service-view.ts';
import { skuOf } from './skus.ts';
import type { DataMigrations, KeptService, ServiceState } from './state.ts';
import { activeTasks, keyOf } from './state.ts';

const TYPE = `${NAMESPACE}/services`;
const GROUP = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${TYPE}`;
export const SERVICE_PATH = `${GROUP}/{service}`;

/** Really many minutes each; a service goes much more slowly than it comes in any case. */
const DUE_MS = { create: 700, update: 500, start: 400, stop: 400, delete: 2500 };
type Kind = keyof typeof DUE_MS;

export function serviceRoutes(kept: DataMigrations, operations: Operations): ArmRoute[] {
  const begin = async (
    call: ArmCall,
    kind: Kind,
    service: KeptService,
    { during, data = null, moreMs = 0 }: { during: ServiceState; data?: unknown; moreMs?: number },
  ): Promise<CloudResponse> => {
    service.state = during;
    await kept.save();
    return await operations.begin(call, {
      kind: `${kind}-service`,
      resource: keyOf(service),
      location: service.location,
      data,
      dueMs: DUE_MS[kind] + moreMs,
      fault: call.fault,
    });
  };
  /** With the resource in the answer; its `provisioningState` tells how far it is. */
  const shown = ({ headers = {} }: CloudResponse, status: number, service: KeptService) =>
    json(status, serviceView(service), headers);
  const update = async (call: ArmCall, body: ServiceUpdateBody) => {
    const service = kept.service(call.params);
    if (service.state === 'Deleting') {
      throw new ArmError(409, 'OperationInProgress', `'${service.name}' is being deleted.`);
    }
    refuseBusy(service);
    skuOf(body.sku?.name ?? service.sku.name);
    if (body.location !== undefined && body.location !== service.location) {
      throw new ArmError(
        409,
        'InvalidResourceLocation',
        `The resource '${service.name}' already exists in location '${service.location}'. A resource with the same name cannot be created in location '${body.location}'.`,
      );
    }
    const begun = await begin(call, 'update', service, { during: 'Deploying', data: body });
    return shown(begun, 200, service);
  };
  const common = { path: SERVICE_PATH, apiVersions: API_VERSIONS };
  const read = { method: 'GET', action: `${TYPE}/read`, apiVersions: API_VERSIONS } as const;
  const action = (name: string) =>
    ({
      method: 'POST',
      path: `${SERVICE_PATH}/${name}`,
      action: `${TYPE}/${name}/action`,
      apiVersions: API_VERSIONS,
      body: z.undefined(),
    }) as const;
  return [
    {
      ...read,
      operation: 'Services_Get',
      path: SERVICE_PATH,
      answer: async ({ params }) => json(200, serviceView(kept.service(params))),
    },
    {
      ...read,
      operation: 'Services_ListByResourceGroup',
      path: GROUP,
      answer: async ({ params: { group = '' } }) => {
        const here = (service: KeptService) => service.group.toLowerCase() === group.toLowerCase();
        return json(200, { value: kept.all().filter(here).map(serviceView) });
      },
    },
    {
      ...common,
      operation: 'Services_CreateOrUpdate',
      method: 'PUT',
      action: `${TYPE}/write`,
      body: serviceBody,
      answer: async (call) => {
        const body = call.body as ServiceBody;
        if (kept.findService(call.params) !== null) return await update(call, body);
        const service = newService(call, body);
        await kept.add(service);
        return shown(await begin(call, 'create', service, { during: 'Accepted' }), 201, service);
      },
    },
    {
      ...common,
      operation: 'Services_Update',
      method: 'PATCH',
      action: `${TYPE}/write`,
      body: serviceUpdateBody,
      answer: (call) => update(call, call.body as ServiceUpdateBody),
    },
    {
      ...common,
      operation: 'Services_Delete',
      method: 'DELETE',
      action: `${TYPE}/delete`,
      answer: async (call) => {
        const service = kept.findService(call.params);
        if (service === null) return { status: 204 };
        if (call.request.query.get('deleteRunningTasks') !== 'true') refuseBusy(service);
        const slow = kept.fault('DataMigration_Delete');
        const moreMs = slow?.delayMs ?? 0;
        return await begin(call, 'delete', service, { during: 'Deleting', moreMs });
      },
    },
    {
      ...action('start'),
      operation: 'Services_Start',
      answer: async (call) => {
        const service = kept.service(call.params);
        if (service.state === 'Succeeded') return { status: 200 };
        return await begin(call, 'start', service, { during: 'Starting' });
      },
    },
    {
      ...action('stop'),
      operation: 'Services_Stop',
      answer: async (call) => {
        const service = kept.service(call.params);
        if (service.state === 'Stopped') return { status: 200 };
        refuseBusy(service);
        return await begin(call, 'stop', service, { during: 'Stopping' });
      },
    },
    {
      ...action('checkStatus'),
      operation: 'Services_CheckStatus',
      answer: async ({ params }) => {
        const service = kept.service(params);
        return json(200, {
          agentVersion: '5.4.8036.1',
          status: service.state === 'Succeeded' ? 'Online' : stateOf(service),
          vmSize: 'Standard_D4_v3',
          supportedTaskTypes: taskTypes,
        });
      },
    },
  ];
}

/** @throws ArmError ServiceIsBusy */
function refuseBusy(service: KeptService): void {
  if (activeTasks(service).length === 0) return;
  throw new ArmError(
    400,
    'ServiceIsBusy',
    `The service '${service.name}' has running tasks. Cancel them first.`,
  );
}

function newService({ params }: ArmCall, body: ServiceBody): KeptService {
  const { location, tags = {}, sku, properties } = body;
  return {
    name: params['service'] ?? '',
    subscription: params['subscription'] ?? '',
    group: params['group'] ?? '',
    location,
    createdAt: new Date().toISOString(),
    tags,
    sku: { ...skuOf(sku?.name) },
    subnet: properties.virtualSubnetId,
    nic: properties.virtualNicId ?? null,
    state: 'Accepted',
    projects: {},
  };
}
