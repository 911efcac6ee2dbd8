import type { NameRecord } from '../../service.ts';
import { Refusal } from './rest-xml.ts';
import type { Xml } from './rest-xml.ts';

/** A record set as it came: members by their names, every value a text. */
export type RecordSet = Readonly<Record<string, Xml>>;

export interface Change {
  readonly action: string;
  readonly recordSet: RecordSet;
}

const TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SPF', 'SRV', 'TXT'];
/** Each of them needs a SetIdentifier, and a SetIdentifier needs one of them. */
const ROUTING = [
  'Weight',
  'Region',
  'GeoLocation',
  'Failover',
  'MultiValueAnswer',
  'CidrRoutingConfig',
  'GeoProximityLocation',
];

/**
 * All changes of a batch, or none: the record sets after it. Throws InvalidChangeBatch, with what is
 * wrong with each change.
 */
export function applyChanges(
  zone: string,
  recordSets: readonly RecordSet[],
  changes: readonly Change[],
): RecordSet[] {
  const after = [...recordSets];
  const wrong: string[] = [];
  for (const { action, recordSet } of changes) {
    const valid = withAbsoluteName(recordSet);
    const reason = whatIsWrong(zone, valid) ?? applyOne(zone, after, action, valid);
    if (reason !== null) wrong.push(reason);
  }
  if (wrong.length > 0) throw new Refusal(400, 'InvalidChangeBatch', `[${wrong.join(', ')}]`);
  return after;
}

/** Changes `after` in place; returns why it may not. */
function applyOne(
  zone: string,
  after: RecordSet[],
  action: string,
  recordSet: RecordSet,
): string | null {
  const at = after.findIndex((each) => keyOf(each) === keyOf(recordSet));
  const there = after[at];
  if (action === 'DELETE') {
    if (there === undefined) return `Tried to delete ${shown(recordSet)} but it was not found`;
    if (canonical(there) !== canonical(recordSet)) {
      return `Tried to delete ${shown(recordSet)} but the values provided do not match the current values`;
    }
    after.splice(at, 1);
    return null;
  }
  if (action === 'CREATE' && there !== undefined) {
    return `Tried to create ${shown(recordSet)} but it already exists`;
  }
  const conflict = conflictOf(zone, after, recordSet);
  if (conflict !== null) return conflict;
  if (there === undefined) after.push(recordSet);
  else after[at] = recordSet;
  return null;
}

function whatIsWrong(zone: string, recordSet: RecordSet): string | null {
  const [name, type] = [text(recordSet, 'Name'), text(recordSet, 'Type')];
  if (!TYPES.includes(type)) return `Value '${type}' is not a type`;
  if (name !== zone && !name.endsWith(`.${zone}`)) {
    return `RRSet with DNS name ${name} is not permitted in zone ${zone}`;
  }
  const values = valuesOf(recordSet);
  const isAlias = recordSet['AliasTarget'] !== undefined;
  if (isAlias === values.length > 0) {
    return 'Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]';
  }
  if (isAlias !== (recordSet['TTL'] === undefined)) {
    return 'Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]';
  }
  if (type === 'CNAME' && !isAlias && values.length !== 1) {
    return `${shown(recordSet)} with more than one value`;
  }
  const routed = ROUTING.some((member) => recordSet[member] !== undefined);
  if (routed !== (recordSet['SetIdentifier'] !== undefined)) {
    return `Missing field 'SetIdentifier' or routing policy in ${shown(recordSet)}`;
  }
  return null;
}

function conflictOf(
  zone: string,
  recordSets: readonly RecordSet[],
  recordSet: RecordSet,
): string | null {
  const [name, type] = [text(recordSet, 'Name'), text(recordSet, 'Type')];
  for (const other of recordSets) {
    if (text(other, 'Name') !== name) continue;
    const otherType = text(other, 'Type');
    if (otherType !== type && (type === 'CNAME' || otherType === 'CNAME')) {
      return `RRSet of type ${type} with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`;
    }
    const simple = recordSet['SetIdentifier'] === undefined;
    if (otherType === type && simple !== (other['SetIdentifier'] === undefined)) {
      return `RRSet with DNS name ${name}, type ${type}, SetIdentifier ${text(recordSet, 'SetIdentifier') || 'null'} cannot be created as other RRSets exist with the same name and type`;
    }
  }
  return null;
}

/** Records that clients see. Aliases and health checks are not evaluated: of several sets the first is served. */
export function servedRecords(recordSets: readonly RecordSet[]): NameRecord[] {
  const seen = new Set<string>();
  return recordSets.flatMap((recordSet): NameRecord[] => {
    const [name, type] = [text(recordSet, 'Name'), text(recordSet, 'Type')];
    if (type !== 'A' && type !== 'CNAME' && type !== 'TXT') return [];
    if (seen.has(`${name} ${type}`)) return [];
    seen.add(`${name} ${type}`);
    const ttl = Number(text(recordSet, 'TTL'));
    return valuesOf(recordSet).map((value) => ({
      name,
      type,
      ttl,
      data: type === 'TXT' ? value.replaceAll(/^"|"$/g, '') : value,
    }));
  });
}

/** Names are sorted by their labels from the last one on, then by type and identifier. */
export function inOrder(recordSets: readonly RecordSet[]): RecordSet[] {
  return recordSets.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

export function sortKey(recordSet: RecordSet): string {
  return sortKeyOf(
    text(recordSet, 'Name'),
    text(recordSet, 'Type'),
    text(recordSet, 'SetIdentifier'),
  );
}

/** Comparable with `<`; without a type all of the name's sets come after it. */
export function sortKeyOf(name: string, type = '', identifier = ''): string {
  const labels = absolute(name).slice(0, -1).split('.').toReversed().join('\u0001');
  return `${labels}\u0000${type}\u0000${identifier}`;
}

/** Lower case, with the dot at the end. */
export function absolute(name: string): string {
  return `${name.toLowerCase().replace(/\.$/, '')}.`;
}

export function text(recordSet: RecordSet, member: string): string {
  const value = recordSet[member];
  return typeof value === 'string' ? value : '';
}

function valuesOf(recordSet: RecordSet): string[] {
  const records = recordSet['ResourceRecords'];
  if (!Array.isArray(records)) return [];
  return (records as readonly RecordSet[]).map((record) => text(record, 'Value'));
}

function withAbsoluteName(recordSet: RecordSet): RecordSet {
  return { ...recordSet, Name: absolute(text(recordSet, 'Name')) };
}

function keyOf(recordSet: RecordSet): string {
  return ['Name', 'Type', 'SetIdentifier'].map((member) => text(recordSet, member)).join('\u0000');
}

/** The order of the values does not count. */
function canonical(recordSet: RecordSet): string {
  const values = valuesOf(recordSet).toSorted();
  const members = Object.entries(recordSet)
    .filter(([name]) => name !== 'ResourceRecords')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([members, values]);
}

function shown(recordSet: RecordSet): string {
  const identifier = text(recordSet, 'SetIdentifier');
  const set = identifier === '' ? '' : `, set-identifier='${identifier}'`;
  return `resource record set [name='${text(recordSet, 'Name')}', type='${text(recordSet, 'Type')}'${set}]`;
}
