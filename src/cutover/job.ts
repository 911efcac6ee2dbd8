import type { Catalog } from '../mysql/catalog/types.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { Position } from '../mysql/position.ts';
import { probeConsumer } from './consumer-probe.ts';
import type { Fence, FenceKind } from './fence/fence.ts';
import type { OnStep } from './steps.ts';
import type { Switch } from './switches/switch.ts';

export interface Consumer {
  readonly switch: Switch;
  /** Its account on the target; null: not probed. */
  readonly account: Endpoint | null;
}

export interface CutoverJob {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly fence: Fence;
  /** To lower what the journal says was raised, whatever would be chosen now. */
  readonly fenceOf: (kind: FenceKind) => Fence;
  /** The source again, with the account that may stop writes. */
  readonly fenceAccount: Endpoint;
  readonly catalog: Catalog;
  readonly migration: string;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
  /** Everything up to here is compared; see `compareTables`. */
  readonly verifiedAt: Position;
  readonly consumers: readonly Consumer[];
  /** Longest time from the fence to the first switch; beyond it the source is un-fenced. */
  readonly downtimeBudgetMs: number;
  /** Pairs of sessions that compare. */
  readonly parallel: number;
  readonly definers?: 'keep' | 'rewrite';
  /**
   * Behind the fence, when all is drained: ends an applier that is no part of this program. From then on
   * the journal says that it is not wanted, until the cutover is taken back.
   */
  readonly detach?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Window and lag, once more, right before the fence: throws when either does not hold. */
  readonly mayProceed: (signal: AbortSignal) => Promise<void>;
}

export interface CutoverOptions {
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** One application may have several endpoints. */
export function keyOf(job: CutoverJob, i: number): string {
  return `${i} ${job.consumers[i]?.switch.consumer ?? ''}`;
}

/** Logs in to the target as the consumer, where its account is known. */
export async function probeAccount(
  { catalog }: CutoverJob,
  { account }: Consumer,
  signal: AbortSignal,
): Promise<void> {
  if (account === null) return;
  const schemas = catalog.schemas.map(({ name }) => name);
  await probeConsumer(account, schemas, { signal });
}
