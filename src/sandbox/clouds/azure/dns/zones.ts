import { randomUUID } from 'node:crypto';
import type { CloudContext, Store } from '../../service.ts';
import { ArmError, json } from '../arm-error.ts';
import type { ArmCall } from '../arm.ts';
import type { RecordSetInput, RecordType, ZoneFlavor } from './flavor.ts';
import type { RecordSet } from './record-set.ts';
import { checkConditions, fullName, refuseInvalid, servedRecords, setKey } from './record-set.ts';

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  etag: string;
  readonly recordSets: Record<string, RecordSet>;
}

interface State {
  readonly zones: Record<string, Zone>;
}

/** The zones of one flavor with their record sets, kept on disk and served by the name server. */
export class Zones {
  readonly #context: CloudContext;
  readonly #flavor: ZoneFlavor;
  readonly #state: Store<State>;

  private constructor(context: CloudContext, flavor: ZoneFlavor, state: Store<State>) {
    this.#context = context;
    this.#flavor = flavor;
    this.#state = state;
  }

  static async open(context: CloudContext, flavor: ZoneFlavor): Promise<Zones> {
    const state = await context.store<State>(`azure/${flavor.type}`, { zones: {} });
    const zones = new Zones(context, flavor, state);
    for (const zone of Object.values(state.value.zones)) zones.#publish(zone);
    return zones;
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
    refuseInvalid(this.#flavor, set, zone.recordSets);
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
    refuseInvalid(this.#flavor, set, zone.recordSets);
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
    const fqdn = `${fullName(zone.name, name)}.`;
    return {
      id: `${zone.id}/${type}/${name}`,
      name,
      type: `Microsoft.Network/${this.#flavor.type}/${type}`,
      etag,
      properties: { ...this.#flavor.recordProperties, ...properties, fqdn },
    };
  }

  async #save(zone: Zone): Promise<void> {
    zone.etag = randomUUID();
    await this.#state.save();
    this.#publish(zone);
  }

  #publish({ name, recordSets }: Zone): void {
    this.#context.names.setZone(name, servedRecords(this.#flavor, name, recordSets));
  }
}

function keyOf({ params: { subscription, group, zone } }: ArmCall): string {
  return [subscription, group, zone].join('/').toLowerCase();
}
