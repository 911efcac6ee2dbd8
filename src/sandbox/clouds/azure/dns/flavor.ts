import type { z } from 'zod';

export const RECORD_TYPES = ['A', 'CNAME', 'TXT'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

export type Properties = Readonly<Record<string, unknown>>;

export interface RecordSetInput {
  readonly etag?: string | undefined;
  readonly properties?: Properties | undefined;
}

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
