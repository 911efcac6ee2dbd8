import type { ServedCname } from '../../clouds/dns/authoritative.ts';
import { canonicalName } from '../../clouds/dns/ask.ts';

/** A CNAME as its zone's owner knows it. `Version` is what a compare-and-set compares. */
export interface CnameState<Version> {
  /** Without the dot at the end, in lower case. */
  readonly value: string;
  /** Seconds. */
  readonly ttl: number;
  /** Set while Skyferry keeps the TTL low. */
  readonly lowered: TtlMark | null;
  readonly version: Version;
}

/** What is remembered beside the record, so that a lowered TTL is never taken for the former one. */
export interface TtlMark {
  /** Seconds. */
  readonly formerTtl: number;
  /** ISO 8601. */
  readonly since: string;
}

/** One CNAME in one DNS service. */
export interface CnameRecord<Version> {
  /** For people, e.g. `Azure DNS record db.corp.example`. */
  readonly what: string;
  /** Throws SWITCH_FAILED for a record that cannot be switched, and CLOUD_… failures. */
  read(signal: AbortSignal): Promise<CnameState<Version>>;
  /**
   * Puts `next` in the place of exactly what was read; `stale`: it is something else by now, and
   * nothing was changed. Throws CLOUD_… failures.
   */
  replace(
    was: CnameState<Version>,
    next: Pick<CnameState<Version>, 'value' | 'ttl' | 'lowered'>,
    signal: AbortSignal,
  ): Promise<'done' | 'stale'>;
  /** What DNS servers say; empty: none can be asked. Throws SWITCH_FAILED. */
  served(signal: AbortSignal): Promise<readonly ServedCname[]>;
}

/** The full name of a record, without the dot at the end. */
export function fullName(record: string, zone: string): string {
  return `${canonicalName(record)}.${canonicalName(zone)}`;
}

/** With a dot at the end if there was one, so that switching there and back leaves no trace. */
export function spelledLike(former: string | undefined, value: string): string {
  return former?.endsWith('.') === true ? `${value}.` : value;
}

/** `300 since 2026-01-01T00:00:00.000Z` */
export function markText({ formerTtl, since }: TtlMark): string {
  return `${formerTtl} since ${since}`;
}

export function readMark(text: string | undefined): TtlMark | null {
  const [, formerTtl, since] = /^(\d+) since (\S+)$/.exec(text ?? '') ?? [];
  if (formerTtl === undefined || since === undefined || Number.isNaN(Date.parse(since)))
    return null;
  return { formerTtl: Number(formerTtl), since };
}
