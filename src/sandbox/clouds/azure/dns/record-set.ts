import type { NameRecord } from '../../service.ts';
import { ArmError } from '../arm-error.ts';
import type { ArmCall } from '../arm.ts';
import type { Properties, RecordType, ZoneFlavor } from './flavor.ts';
import { RECORD_TYPES } from './flavor.ts';

export interface RecordSet {
  readonly name: string;
  readonly type: RecordType;
  readonly etag: string;
  readonly properties: Properties;
}

/** By `setKey`. */
export type RecordSets = Readonly<Record<string, RecordSet>>;

export function setKey(type: RecordType, name: string): string {
  return `${type}/${name.toLowerCase()}`;
}

/** `others`: what the zone holds already. @throws ArmError BadRequest */
export function refuseInvalid({ ttl, records }: ZoneFlavor, set: RecordSet, others: RecordSets) {
  const otherTypes = RECORD_TYPES.filter((type) => type !== set.type);
  if (otherTypes.some((type) => set.properties[records[type]] !== undefined)) {
    throw badRequest(`The record set of type '${set.type}' holds records of another type.`);
  }
  const isAlias = hasTarget(set.properties['targetResource']);
  const has = set.properties[records[set.type]] !== undefined;
  if (isAlias === has) throw badRequest('The record set must hold records or a target resource.');
  if (typeof set.properties[ttl] !== 'number') throw badRequest('The TTL is missing.');
  const conflict = otherTypes.some(
    (type) =>
      (type === 'CNAME' || set.type === 'CNAME') && others[setKey(type, set.name)] !== undefined,
  );
  if (conflict) {
    throw badRequest(
      'The record could not be created because a CNAME record with the same name already exists in this zone.',
    );
  }
}

/** `If-Match` and `If-None-Match`, whose values are compared as they are: Azure's etags have no quotes here. */
export function checkConditions({ request }: ArmCall, former: RecordSet | undefined): void {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
  if (ifNoneMatch === '*' && former !== undefined) {
    throw new ArmError(412, 'PreconditionFailed', `The Record set ${former.name} exists already and hence cannot be created again.`); // prettier-ignore
  }
  if (ifMatch === undefined || (ifMatch === '*' && former !== undefined)) return;
  if (former?.etag === ifMatch) return;
  throw new ArmError(412, 'PreconditionFailed', `The condition '${ifMatch}' in the If-Match header was not satisfied. The current was '${former?.etag ?? ''}'.`); // prettier-ignore
}

/** What clients see. An alias has no records of its own: it is not served here. */
export function servedRecords(flavor: ZoneFlavor, zone: string, sets: RecordSets): NameRecord[] {
  return Object.values(sets).flatMap(({ name, type, properties }) => {
    const ttl = Number(properties[flavor.ttl]);
    const held = properties[flavor.records[type]];
    return dataOf(type, held).map((data): NameRecord => ({
      name: fullName(zone, name),
      type,
      ttl,
      data,
    }));
  });
}

export function fullName(zone: string, name: string): string {
  return name === '@' ? zone : `${name}.${zone}`;
}

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

function badRequest(message: string): ArmError {
  return new ArmError(400, 'BadRequest', message);
}
