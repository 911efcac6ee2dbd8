import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';
import type { Fault, FaultRule, Faults } from './service.ts';

export const faultRules = z.array(
  z.strictObject({
    match: z.strictObject({
      service: z.string().exactOptional(),
      operation: z.string().exactOptional(),
    }),
    times: z.int().min(1).exactOptional(),
    kind: z.enum([
      'throttle',
      'conflict',
      'server-error',
      'expired',
      'fail-operation',
      'refuse',
      'drop-before',
      'drop-after',
      'slow',
    ]),
    delayMs: z.int().min(0).exactOptional(),
    retryAfterSeconds: z.int().min(0).exactOptional(),
    status: z.int().min(400).max(599).exactOptional(),
    code: z.string().exactOptional(),
  }),
);

/** What the gateway learns about one request while a service answers it. */
export interface Exchange {
  operation: string | null;
  dropAfter: boolean;
  delayMs: number;
}

/** The connection is to be destroyed and nothing done. */
export class ConnectionDropped extends Error {}

const exchanges = new AsyncLocalStorage<Exchange>();

export class FaultQueue implements Faults {
  readonly #rules: { rule: FaultRule; left: number }[] = [];

  add(rules: readonly FaultRule[]): void {
    this.#rules.push(...rules.map((rule) => ({ rule, left: rule.times ?? 1 })));
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Runs the answering of one request; `take` within it writes into `exchange`. */
  during<T>(exchange: Exchange, answer: () => Promise<T>): Promise<T> {
    return exchanges.run(exchange, answer);
  }

  take(service: string, operation: string): Fault | null {
    const exchange = exchanges.getStore();
    if (exchange !== undefined) exchange.operation = operation;
    const found = this.#rules.find(
      ({ rule: { match }, left }) =>
        left > 0 &&
        (match.service ?? service) === service &&
        (match.operation ?? operation) === operation,
    );
    if (found === undefined) return null;
    found.left--;
    const { rule } = found;
    const { kind } = rule;
    if (kind === 'drop-before') throw new ConnectionDropped();
    if (kind !== 'drop-after' && kind !== 'slow') return { ...rule, kind };
    if (exchange !== undefined) {
      exchange.dropAfter = kind === 'drop-after';
      exchange.delayMs = kind === 'slow' ? (rule.delayMs ?? 2000) : 0;
    }
    return null;
  }
}
