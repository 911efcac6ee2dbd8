import { SkyferryFailure } from '../../failures.ts';
import { withConnection } from '../../mysql/connection.ts';
import { describeFence } from './describe-fence.ts';
import type { Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import {
  alreadyReadOnly,
  isReadOnly,
  programsThatBypass,
  proveReadOnly,
  whyNotReadOnly,
} from './read-only.ts';
import { bounded, endWaitingStatements, runAwaited } from './statement.ts';

export interface AuroraReadOnlyState {
  readonly kind: 'aurora-read-only';
  readonly foreign?: Foreign;
}

const PROCEDURE = 'mysql.rds_set_read_only';
/** The process list shows what the procedure runs, not the call, and writes it together so. */
const WITHIN = /^(CALL mysql\.rds_set_read_only|SET\s*GLOBAL read_only)\b/i;

/**
 * `read_only` of an Aurora writer, by Aurora's own procedure. Its administrator holds CONNECTION_ADMIN and
 * is not stopped: nobody but this migration may be logged in as one.
 */
export class AuroraReadOnlyFence implements Fence {
  readonly kind = 'aurora-read-only';
  readonly stops = 'applications';
  readonly #context: FenceContext;

  constructor(context: FenceContext) {
    this.#context = context;
  }

  describe(): string {
    return describeFence(this.kind, []);
  }

  async read(signal?: AbortSignal): Promise<AuroraReadOnlyState> {
    const foreign = (await isReadOnly(this.#context, signal))
      ? alreadyReadOnly
      : await programsThatBypass(this.#context, signal);
    return { kind: this.kind, ...(foreign !== undefined && { foreign }) };
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    await runAwaited(this.#context.account, `CALL ${PROCEDURE}(1)`, {
      withinMs: lockWaitMs,
      signal,
      isDone: async () => await isReadOnly(this.#context, signal),
      alsoEnds: WITHIN,
    });
  }

  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await whyNotReadOnly(this.#context, signal)) === null;
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    return { kind: this.kind, accounts: await proveReadOnly(this.#context, signal) };
  }

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    await endWaitingStatements(this.#context.account, WITHIN);
    await withConnection(this.#context.account, bounded(), async (connection) => {
      await connection.query(`CALL ${PROCEDURE}(0)`);
    });
    if (!(await isReadOnly(this.#context))) return;
    throw new SkyferryFailure('NOT_QUIESCENT', 'the fence is lowered, but read_only is still ON', {
      safe: 'nothing was switched',
      next: this.unfenceCommand(former),
    });
  }

  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    return `CALL ${PROCEDURE}(0);`;
  }
}
