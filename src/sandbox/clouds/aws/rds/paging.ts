import { QueryFailure } from '../query-protocol.ts';

export interface PageInput {
  readonly MaxRecords?: number | undefined;
  readonly Marker?: string | undefined;
}

/** One page, and the marker of the next when there is one. */
export function page<T>(
  all: readonly T[],
  { MaxRecords = 100, Marker }: PageInput,
): { items: T[]; Marker?: string } {
  if (MaxRecords < 20 || MaxRecords > 100) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `Invalid value ${MaxRecords} for MaxRecords. Must be between 20 and 100`,
    );
  }
  const start = Marker === undefined ? 0 : offsetOf(Marker);
  const end = start + MaxRecords;
  const items = all.slice(start, end);
  return end < all.length ? { items, Marker: markerOf(end) } : { items };
}

function markerOf(offset: number): string {
  return Buffer.from(`offset:${offset}`).toString('base64');
}

function offsetOf(marker: string): number {
  const offset = /^offset:(\d+)$/.exec(Buffer.from(marker, 'base64').toString())?.[1];
  if (offset === undefined) {
    throw new QueryFailure('InvalidParameterValue', 'The value of Marker is invalid');
  }
  return Number(offset);
}

interface FilterInput {
  readonly Name?: string | undefined;
  readonly Values?: readonly string[] | undefined;
}

/** Keeps what every filter names one of the values of; refuses filters that the operation does not have. */
export function filtered<T>(
  all: readonly T[],
  filters: readonly FilterInput[] | undefined,
  fields: Readonly<Record<string, (item: T) => string | null>>,
): T[] {
  return (filters ?? []).reduce<T[]>(
    (kept, { Name = '', Values = [] }) => {
      const field = fields[Name];
      if (field === undefined) {
        throw new QueryFailure('InvalidParameterValue', `Unrecognized filter name: ${Name}`);
      }
      return kept.filter((item) => Values.includes(field(item) ?? ''));
    },
    [...all],
  );
}
