import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { FenceContext, Foreign } from './fence.ts';
import type { FormerParameter } from './rds-parameter.ts';
import { RdsParameter } from './rds-parameter.ts';
import { bounded, pause } from './statement.ts';

/** How events, which run on whatever becomes of their definer's account, are stopped and started again. */
export interface FormerEvents extends FormerParameter {
  readonly foreign?: Foreign;
}

const ARRIVES_WITHIN_MS = 180_000;
const POLL_MS = 250;

/** `event_scheduler` of the instance's own parameter group. It stops no application, so it comes first. */
export class EventStop {
  readonly #context: FenceContext;
  readonly #parameter: RdsParameter;

  constructor(context: FenceContext) {
    if (context.rds === undefined) {
      throw new SkyferryFailure('INTERNAL', 'the event scheduler is a parameter of RDS only');
    }
    this.#context = context;
    this.#parameter = new RdsParameter(context.rds, 'event_scheduler');
  }

  async read(signal: AbortSignal = new AbortController().signal): Promise<FormerEvents> {
    return await this.#parameter.read(signal);
  }

  async stop({ group }: FormerEvents, signal: AbortSignal): Promise<void> {
    await this.#set(group, 'OFF', signal);
  }

  /** They ran, so ON is what it was where the group leaves it to the engine. */
  async start({ group, value = 'ON' }: FormerEvents): Promise<void> {
    await this.#set(group, value, new AbortController().signal);
  }

  command({ group, value = 'ON' }: FormerEvents): string {
    return this.#parameter.command(group, value);
  }

  async #set(group: string, value: string, signal: AbortSignal): Promise<void> {
    await this.#parameter.set(group, value, ARRIVES_WITHIN_MS, signal);
    const deadline = performance.now() + ARRIVES_WITHIN_MS;
    while ((await this.#current(signal)) !== value.toUpperCase()) {
      if (performance.now() > deadline) throw notArrived(value);
      await pause(POLL_MS, signal);
    }
  }

  async #current(signal: AbortSignal): Promise<string> {
    const { account } = this.#context;
    return await withConnection(account, bounded(signal), async (connection) => {
      const [row] = await connection.query<{ e: string }>('SELECT @@GLOBAL.event_scheduler AS e');
      return String(row?.e).toUpperCase();
    });
  }
}

function notArrived(value: string): SkyferryFailure {
  return new SkyferryFailure(
    'NOT_QUIESCENT',
    `event_scheduler=${value} has not arrived on the server`,
    { safe: 'nothing was switched', retryable: true },
  );
}
