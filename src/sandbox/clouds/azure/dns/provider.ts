import type { CloudContext, CloudService } from '../../service.ts';
import { json } from '../arm-error.ts';
import { createArmService } from '../arm.ts';
import type { ArmRoute } from '../arm.ts';
import type { RecordType, ZoneFlavor } from './flavor.ts';
import { RECORD_TYPES } from './flavor.ts';
import { Zones } from './zones.ts';

const PROVIDER = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network';

/** Zones and their record sets, compared by etag before they are changed, and served. */
export async function createDnsProvider(
  context: CloudContext,
  flavor: ZoneFlavor,
): Promise<CloudService> {
  const zones = await Zones.open(context, flavor);
  return await createArmService(context, {
    namespace: 'Microsoft.Network',
    routes: [
      ...zoneRoutes(flavor, zones),
      ...RECORD_TYPES.flatMap((type) => recordRoutes(flavor, type, zones)),
    ],
  });
}

function zoneRoutes(flavor: ZoneFlavor, zones: Zones): ArmRoute[] {
  const common = {
    path: `${PROVIDER}/${flavor.type}/{zone}`,
    apiVersions: [flavor.apiVersion],
  };
  const action = (verb: string): string => `Microsoft.Network/${flavor.type}/${verb}`;
  return [
    {
      ...common,
      operation: `${flavor.zoneOperations}_Get`,
      method: 'GET',
      action: action('read'),
      answer: async (call) => json(200, zones.show(zones.find(call))),
    },
    {
      ...common,
      operation: `${flavor.zoneOperations}_CreateOrUpdate`,
      method: 'PUT',
      action: action('write'),
      body: flavor.zoneSchema,
      answer: async (call) => await zones.create(call),
    },
  ];
}

function recordRoutes(flavor: ZoneFlavor, type: RecordType, zones: Zones): ArmRoute[] {
  const common = {
    path: `${PROVIDER}/${flavor.type}/{zone}/${type}/{name}`,
    apiVersions: [flavor.apiVersion],
  };
  const action = (verb: string): string => `Microsoft.Network/${flavor.type}/${type}/${verb}`;
  return [
    {
      ...common,
      operation: 'RecordSets_Get',
      method: 'GET',
      action: action('read'),
      answer: async (call) => {
        const zone = zones.find(call);
        return json(200, zones.showSet(zone, zones.findSet(zone, type, call)));
      },
    },
    {
      ...common,
      operation: 'RecordSets_CreateOrUpdate',
      method: 'PUT',
      action: action('write'),
      body: flavor.recordSetSchema,
      answer: async (call) => await zones.put(type, call),
    },
    {
      ...common,
      operation: 'RecordSets_Update',
      method: 'PATCH',
      action: action('write'),
      body: flavor.recordSetSchema,
      answer: async (call) => await zones.patch(type, call),
    },
    {
      ...common,
      operation: 'RecordSets_Delete',
      method: 'DELETE',
      action: action('delete'),
      answer: async (call) => await zones.remove(type, call),
    },
  ];
}
