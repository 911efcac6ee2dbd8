import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { CloudContext, CloudService, NameRecord, Store } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import { createArmService } from '../arm.ts';
import type { ArmCall, ArmRoute } from '../arm.ts';

/** How public and private zones differ on the wire: the same service under two specifications. */
export interface ZoneFlavor {
  /** `dnsZones` or `privateDnsZones`. */
  readonly type: string;
  readonly apiVersion: string;
  /** Of the operations on zones, e.g. `Zones` or `PrivateZones`. */
  readonly zoneOperations: string;
  readonly zoneSchema: z.ZodType;
  readonly recordSetSchema: z.ZodType<RecordSetInput>;
  readonly zoneProperties: (name: string) => Readonly<Record<string, unknown>>;
  /** Of every record set. */
  readonly recordProperties: Readonly<Record<string, unknown>>;
  /** The flavor's spelling of each property. */
  readonly ttl: string;
  readonly records: Readonly<Record<RecordType, string>>;
}

export type RecordType = 'A' | 'CNAME' | 'TXT';
type Properties = Readonly<Record<string, unknown>>;

export interface RecordSetInput {
  readonly etag?: string | undefined;
  readonly properties?: Properties | undefined;
}

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  etag: string;
  readonly recordSets: Record<string, RecordSet>;
}

interface RecordSet {
  readonly name: string;
  readonly type: RecordType;
  readonly etag: string;
  readonly properties: Properties;
}

interface State {
  readonly zones: Record<string, Zone>;
}

const ZONE = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network';
const RECORD_TYPES = ['A', 'CNAME', 'TXT'] as const;

/** Zones and their record sets, compared by etag before they are changed, and served. */
export async function createZones(
  context: CloudContext,
  flavor: ZoneFlavor,
): Promise<CloudService> {
  const state = await context.store<State>(`azure/${flavor.type}`, { zones: {} });
  for (const zone of Object.values(state.value.zones)) publish(context, flavor, zone);
  const zones = new Zones(context, flavor, state);
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
    path: `${ZONE}/${flavor.type}/{zone}`,
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
    path: `${ZONE}/${flavor.type}/{zone}/${type}/{name}`,
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

class Zones {
  readonly #context: CloudContext;
  readonly #flavor: ZoneFlavor;
  readonly #state: Store<State>;

  constructor(context: CloudContext, flavor: ZoneFlavor, state: Store<State>) {
    this.#context = context;
    this.#flavor = flavor;
    this.#state = state;
  }

  find(call: ArmCall): Zone {
    const zone = this.#state.value.zones[keyOf(call)];
    if (zone !== undefined) return zone;
    const { group, zone: name } = call.params;
    throw new ArmError(
      404,
      call.params['name'] === undefined ? 'ResourceNotFound' : 'ParentResourceNotFound',
      `The Resource 'Microsoft.Network/${this.#flavor.type}/${name}' under resource group '${group}' was not found.`,
    );
  }

  findSet(zone: Zone, type: RecordType, { params }: ArmCall): RecordSet {
    const found = zone.recordSets[setKey(type, params['name'] ?? '')];
    if (found !== undefined) return found;
    throw new ArmError(
      404,
      'NotFound',
      `The resource record '${params['name']}' does not exist in resource group '${params['group']}' of subscription '${params['subscription']}'.`,
    );
  }

  async create(call: ArmCall) {
    const { params, body } = call;
    const { location, tags = {} } = body as { location: string; tags?: Record<string, string> };
    const former = this.#state.value.zones[keyOf(call)];
    const name = params['zone'] ?? '';
    const id = `/subscriptions/${params['subscription']}/resourceGroups/${params['group']}/providers/Microsoft.Network/${this.#flavor.type}/${name}`;
    const recordSets = former?.recordSets ?? {};
    const zone: Zone = { id, name, location, tags, etag: randomUUID(), recordSets };
    this.#state.value.zones[keyOf(call)] = zone;
    await this.#save(zone);
    return json(former === undefined ? 201 : 200, this.show(zone));
  }

  async put(type: RecordType, call: ArmCall) {
    const zone = this.find(call);
    const name = call.params['name'] ?? '';
    const former = zone.recordSets[setKey(type, name)];
    checkConditions(call, former);
    const { properties = {} } = call.body as RecordSetInput;
    const set = { name, type, etag: randomUUID(), properties };
    this.#refuseInvalid(zone, set);
    zone.recordSets[setKey(type, name)] = set;
    await this.#save(zone);
    return json(former === undefined ? 201 : 200, this.showSet(zone, set));
  }

  async patch(type: RecordType, call: ArmCall) {
    const zone = this.find(call);
    const former = this.findSet(zone, type, call);
    checkConditions(call, former);
    const { properties = {} } = call.body as RecordSetInput;
    const set = {
      ...former,
      etag: randomUUID(),
      properties: { ...former.properties, ...properties },
    };
    this.#refuseInvalid(zone, set);
    zone.recordSets[setKey(type, former.name)] = set;
    await this.#save(zone);
    return json(200, this.showSet(zone, set));
  }

  async remove(type: RecordType, call: ArmCall) {
    const zone = this.find(call);
    const former = zone.recordSets[setKey(type, call.params['name'] ?? '')];
    if (former === undefined) return { status: 204 };
    checkConditions(call, former);
    delete zone.recordSets[setKey(type, former.name)];
    await this.#save(zone);
    return { status: 200 };
  }

  show({ id, name, location, tags, etag, recordSets }: Zone) {
    const { type, zoneProperties } = this.#flavor;
    const numberOfRecordSets = Object.keys(recordSets).length;
    const properties = { ...zoneProperties(name), numberOfRecordSets };
    return { id, name, type: `Microsoft.Network/${type}`, location, tags, etag, properties };
  }

  showSet(zone: Zone, { name, type, etag, properties }: RecordSet) {
    const fqdn = `${fullName(zone, name)}.`;
    return {
      id: `${zone.id}/${type}/${name}`,
      name,
      type: `Microsoft.Network/${this.#flavor.type}/${type}`,
      etag,
      properties: { ...this.#flavor.recordProperties, ...properties, fqdn },
    };
  }

  #refuseInvalid(zone: Zone, set: RecordSet): void {
    const { ttl, records } = this.#flavor;
    const others = RECORD_TYPES.filter((each) => each !== set.type);
    if (others.some((each) => set.properties[records[each]] !== undefined)) {
      throw badRequest(`The record set of type '${set.type}' holds records of another type.`);
    }
    const isAlias = hasTarget(set.properties['targetResource']);
    const has = set.properties[records[set.type]] !== undefined;
    if (isAlias === has) throw badRequest('The record set must hold records or a target resource.');
    if (typeof set.properties[ttl] !== 'number') throw badRequest('The TTL is missing.');
    const conflict = others.some(
      (each) =>
        (each === 'CNAME' || set.type === 'CNAME') &&
        zone.recordSets[setKey(each, set.name)] !== undefined,
    );
    if (conflict) {
      throw badRequest(
        'The record could not be created because a CNAME record with the same name already exists in this zone.',
      );
    }
  }

  async #save(zone: Zone): Promise<void> {
    zone.etag = randomUUID();
    await this.#state.save();
    publish(this.#context, this.#flavor, zone);
  }
}

/** `If-Match` and `If-None-Match`, whose values are compared as they are: Azure's etags have no quotes here. */
function checkConditions({ request }: ArmCall, former: RecordSet | undefined): void {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
  if (ifNoneMatch === '*' && former !== undefined) {
    throw new ArmError(412, 'PreconditionFailed', `The Record set ${former.name} exists already and hence cannot be created again.`); // prettier-ignore
  }
  if (ifMatch === undefined || (ifMatch === '*' && former !== undefined)) return;
  if (former?.etag === ifMatch) return;
  throw new ArmError(412, 'PreconditionFailed', `The condition '${ifMatch}' in the If-Match header was not satisfied. The current was '${former?.etag ?? ''}'.`); // prettier-ignore
}

function publish({ names }: CloudContext, flavor: ZoneFlavor, zone: Zone): void {
  const records = Object.values(zone.recordSets).flatMap(({ name, type, properties }) => {
    const ttl = Number(properties[flavor.ttl]);
    const held = properties[flavor.records[type]];
    return dataOf(type, held).map((data): NameRecord => ({ name: fullName(zone, name), type, ttl, data })); // prettier-ignore
  });
  names.setZone(zone.name, records);
}

/** An alias has no records of its own: it is not served here. */
function dataOf(type: RecordType, held: unknown): string[] {
  if (held === undefined) return [];
  if (type === 'CNAME') return [(held as { cname: string }).cname];
  if (type === 'A') {
    return (held as { ipv4Address: string }[]).map(({ ipv4Address }) => ipv4Address);
  }
  return (held as { value: string[] }[]).map(({ value }) => value.join(''));
}

function hasTarget(target: unknown): boolean {
  return typeof (target as { id?: unknown } | undefined)?.id === 'string';
}

function fullName(zone: Zone, name: string): string {
  return name === '@' ? zone.name : `${name}.${zone.name}`;
}

function keyOf({ params: { subscription, group, zone } }: ArmCall): string {
  return [subscription, group, zone].join('/').toLowerCase();
}

function setKey(type: RecordType, name: string): string {
  return `${type}/${name.toLowerCase()}`;
}

function badRequest(message: string): ArmError {
  return new ArmError(400, 'BadRequest', message);
}
