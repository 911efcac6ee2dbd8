import { randomBytes } from 'node:crypto';
import type { CloudContext, NameServer, Store } from '../../service.ts';
import type { Change, RecordSet } from './record-sets.ts';
import { applyChanges, servedRecords } from './record-sets.ts';
import { Refusal } from './rest-xml.ts';

/** How long a change stays PENDING, and is not served yet. */
const PROPAGATION_MS = 400;

export interface Zone {
  readonly name: string;
  readonly callerReference: string;
  recordSets: RecordSet[];
}

/** A change of records, and how far it has got. */
export interface ZoneChange {
  readonly id: string;
  readonly submittedAt: string;
  readonly status: 'INSYNC' | 'PENDING';
}

interface KeptChange {
  readonly submittedAt: string;
  /** Epoch milliseconds. */
  readonly inSyncAt: number;
}

interface State {
  readonly zones: Record<string, Zone>;
  readonly changes: Record<string, KeptChange>;
}

/** Hosted zones and their changes, kept on disk; a change is served once it is in sync. */
export class HostedZones {
  readonly #state: Store<State>;
  readonly #names: NameServer;
  readonly #propagating = new Set<NodeJS.Timeout>();

  private constructor(state: Store<State>, names: NameServer) {
    this.#state = state;
    this.#names = names;
  }

  static async open(context: CloudContext): Promise<HostedZones> {
    const state = await context.store<State>('route53', { zones: {}, changes: {} });
    const zones = new HostedZones(state, context.names);
    for (const zone of Object.values(state.value.zones)) zones.#serve(zone);
    return zones;
  }

  /** @throws Refusal NoSuchHostedZone */
  find(id: string): Zone {
    const zone = this.#state.value.zones[id];
    if (zone !== undefined) return zone;
    throw new Refusal(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${id}`);
  }

  async create(
    name: string,
    callerReference: string,
  ): Promise<{ id: string; zone: Zone; change: ZoneChange }> {
    const { zones } = this.#state.value;
    if (Object.values(zones).some((zone) => zone.callerReference === callerReference)) {
      throw new Refusal(409, 'HostedZoneAlreadyExists', 'A hosted zone has already been created with the specified caller reference.'); // prettier-ignore
    }
    const id = `Z${randomId(20)}`;
    const zone: Zone = { name, callerReference, recordSets: [] };
    zones[id] = zone;
    this.#serve(zone);
    return { id, zone, change: await this.#changed(zone) };
  }

  /** All of them or none. @throws Refusal InvalidChangeBatch */
  async changeRecords(zone: Zone, changes: readonly Change[]): Promise<ZoneChange> {
    zone.recordSets = applyChanges(zone.name, zone.recordSets, changes);
    return await this.#changed(zone);
  }

  /** @throws Refusal NoSuchChange */
  change(id: string): ZoneChange {
    const change = this.#state.value.changes[id];
    if (change === undefined) {
      throw new Refusal(404, 'NoSuchChange', `A change could not be found with ID: ${id}`);
    }
    const { submittedAt, inSyncAt } = change;
    return { id, submittedAt, status: Date.now() >= inSyncAt ? 'INSYNC' : 'PENDING' };
  }

  close(): void {
    for (const timer of this.#propagating) clearTimeout(timer);
  }

  async #changed(zone: Zone): Promise<ZoneChange> {
    const id = `C${randomId(20)}`;
    const [now, served] = [Date.now(), { name: zone.name, recordSets: [...zone.recordSets] }];
    this.#state.value.changes[id] = {
      submittedAt: new Date(now).toISOString(),
      inSyncAt: now + PROPAGATION_MS,
    };
    await this.#state.save();
    const timer = setTimeout(() => {
      this.#propagating.delete(timer);
      this.#serve(served);
    }, PROPAGATION_MS);
    this.#propagating.add(timer);
    return this.change(id);
  }

  #serve({ name, recordSets }: Pick<Zone, 'name' | 'recordSets'>): void {
    this.#names.setZone(name, servedRecords(recordSets));
  }
}

function randomId(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length).toUpperCase();
}
