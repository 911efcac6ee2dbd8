import { isFailure } from '../failures.ts';
import type { LoweredTtl } from '../workflows/results.ts';
import type { Consumer } from './job.ts';

/**
 * Well before the fence: resolvers must have forgotten the former TTL when the endpoints move. Repeated,
 * it changes nothing and still knows the former TTLs. Throws SWITCH_FAILED.
 */
export async function lowerTtls(
  consumers: readonly Consumer[],
  signal: AbortSignal,
): Promise<LoweredTtl[]> {
  const lowered: LoweredTtl[] = [];
  for (const { switch: each } of withTtl(consumers)) {
    const result = await each.lowerTtl?.(signal);
    if (result === undefined) continue;
    const { formerTtl, waitMs } = result;
    const readyAt = new Date(Date.now() + waitMs).toISOString();
    lowered.push({ consumer: each.consumer, formerTtl, readyAt });
  }
  return lowered;
}

/**
 * Puts back what `lowerTtls` returned, for the same consumers; null: it did not come to its end, so what it
 * left beside the records counts. One line each for people; what cannot be put back is a line too, since
 * the switch itself is done.
 */
export async function restoreTtls(
  consumers: readonly Consumer[],
  lowered: readonly LoweredTtl[] | null,
  signal: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [i, { switch: each }] of withTtl(consumers).entries()) {
    const former = lowered?.[i];
    if (lowered !== null && former?.consumer !== each.consumer) continue;
    const { consumer } = each;
    try {
      const ttl = await each.restoreTtl?.(former?.formerTtl ?? null, signal);
      if (ttl !== null) lines.push(`the TTL of ${consumer}'s record is ${ttl} s again`);
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error, 'SWITCH_FAILED')) throw error;
      const to = former === undefined ? 'if it was lowered' : `to ${former.formerTtl} s`;
      lines.push(`the TTL of ${consumer}'s record could not be put back ${to}: ${error.message}`);
    }
  }
  return lines;
}

/** In the order of the configuration, which does not change: one application may have several records. */
function withTtl(consumers: readonly Consumer[]): Consumer[] {
  return consumers.filter((consumer) => consumer.switch.lowerTtl !== undefined);
}
