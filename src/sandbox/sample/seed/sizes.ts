/** Rows by area; everything but the tables of special types grows with the scale. */
export interface Sizes {
  readonly customers: number;
  readonly desks: number;
  readonly accounts: number;
  readonly instruments: number;
  readonly priceDays: number;
  readonly orders: number;
  readonly notes: number;
  readonly documents: number;
  readonly tape: number;
  readonly members: number;
  readonly runs: number;
  readonly everyType: number;
  readonly texts: number;
  readonly branches: number;
  readonly jobs: number;
  readonly pulses: number;
}

/** Scale 1 is about 80,000 rows in all tables together; fractions make smaller ones. */
export function sizesOf(scale: number): Sizes {
  if (!(scale > 0 && scale <= 10_000)) throw new RangeError('scale must be above 0, at most 10000');
  const times = (rows: number, least = 4) => Math.max(least, Math.round(rows * scale));
  return {
    customers: times(2_000),
    desks: times(60),
    accounts: times(3_000),
    instruments: times(400),
    priceDays: 40,
    orders: times(10_000),
    notes: times(1_000),
    documents: times(300),
    tape: times(1_500),
    members: times(100),
    runs: times(400),
    everyType: times(600, 20),
    texts: times(300, 8),
    branches: times(200),
    jobs: times(150),
    pulses: times(2_000),
  };
}
