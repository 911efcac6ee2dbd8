import type { NameRecord } from './service.ts';

/** What a name server knows about one question; `outside` when no zone of its own covers the name. */
export interface Found {
  readonly status: 'found' | 'no-data' | 'no-such-name' | 'outside';
  readonly records: readonly DnsRecord[];
  /** The zone that decided; null outside. */
  readonly zone: string | null;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: NameRecord['type'] | 'NS';
  readonly ttl: number;
  readonly data: string;
}

/** Names below these exist only while a server of the sandbox bears them. */
const VENDOR_ZONES = ['mysql.database.azure.com', 'rds.amazonaws.com'];
/** Vendors' host names follow a failover: their TTL is short. */
const ADDRESS_TTL = 5;
const NS_TTL = 3600;
const CHAIN_LIMIT = 8;

/** Zones and host names, in memory: who fills it keeps them on disk. */
export class ZoneData {
  readonly #zones = new Map<string, readonly DnsRecord[]>();
  readonly #addresses = new Map<string, string>();

  setAddress(hostName: string, ip: string): void {
    this.#addresses.set(canonical(hostName), ip);
  }

  removeAddress(hostName: string): void {
    this.#addresses.delete(canonical(hostName));
  }

  setZone(zone: string, records: readonly NameRecord[]): void {
    const apex = canonical(zone);
    this.#zones.set(apex, [
      { name: apex, type: 'NS', ttl: NS_TTL, data: `ns1.${apex}` },
      { name: `ns1.${apex}`, type: 'A', ttl: NS_TTL, data: '127.0.0.1' },
      ...records.map((record) => ({ ...record, name: canonical(record.name) })),
    ]);
  }

  /** A CNAME is followed as far as this server knows the way. */
  find(name: string, type: string): Found {
    const records: DnsRecord[] = [];
    let next = canonical(name);
    for (let hop = 0; hop < CHAIN_LIMIT; hop++) {
      const found = this.#lookUp(next, type);
      records.push(...found.records);
      const [cname] = found.records;
      if (cname?.type !== 'CNAME' || type === 'CNAME') {
        // What lies behind the last CNAME may be nobody's business here: the chain itself is an answer.
        return hop > 0 && found.status === 'outside'
          ? { status: 'found', records, zone: null }
          : { ...found, records };
      }
      next = canonical(cname.data);
    }
    return { status: 'found', records, zone: null };
  }

  #lookUp(name: string, type: string): Found {
    const address = this.#addresses.get(name);
    const zone = address === undefined ? this.#zoneOf(name) : name;
    if (zone === null) return { status: 'outside', records: [], zone };
    const here: readonly DnsRecord[] =
      address === undefined
        ? (this.#zones.get(zone) ?? []).filter((record) => record.name === name)
        : [{ name, type: 'A', ttl: ADDRESS_TTL, data: address }];
    const records = here.filter((record) => record.type === type || record.type === 'CNAME');
    if (records.length > 0) return { status: 'found', records, zone };
    return { status: this.#exists(name, zone) ? 'no-data' : 'no-such-name', records, zone };
  }

  /** A name that only has names below it exists too, without data. */
  #exists(name: string, zone: string): boolean {
    if (name === zone || this.#addresses.has(name)) return true;
    const names = (this.#zones.get(zone) ?? []).map((record) => record.name);
    return names.some((each) => isWithin(each, name));
  }

  #zoneOf(name: string): string | null {
    const zones = [...this.#zones.keys(), ...VENDOR_ZONES].filter((zone) => isWithin(name, zone));
    return zones.sort((a, b) => b.length - a.length)[0] ?? null;
  }
}

function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
