import { batch } from './definitions/batch.ts';
import { brokerage } from './definitions/brokerage.ts';
import { scheduler } from './definitions/scheduler.ts';

/** In the order of creation: later ones refer to earlier ones. */
export const definitions = [brokerage, batch, scheduler] as const;

/** The schemas that move together in the demo. */
export const sampleSchemas: readonly string[] = definitions.map(({ name }) => name);
