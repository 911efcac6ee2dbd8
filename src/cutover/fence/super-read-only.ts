import { SkyferryFailure } from '../../failures.ts';
import type { Connection } from '../../mysql/connection.ts';
import { withConnection } from '../../mysql/connection.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';
import { MARKER, asCommands, endWaitingStatements, bounded, runAwaited } from './statement.ts';
import { describeFence } from './describe-fence.ts';
import type { Fence, FenceContext, FenceProof, FenceState, Foreign } from './fence.ts';
import { assertKind } from './fence.ts';
import { couldWrite, proveByWrite } from './prove.ts';

export interface SuperReadOnlyState {
  readonly kind: 'super-read-only';
  readonly foreign?: Foreign;
  readonly readOnly: boolean;
  readonly superReadOnly: boolean;
  /** What SET PERSIST has stored for a restart. */
  readonly persisted: { readonly readOnly: Persisted; readonly superReadOnly: Persisted };
}

type Persisted = 'ON' | 'OFF' | 'not persisted';

const SET_ON = `SET ${MARKER} GLOBAL super_read_only = ON`;

/**
 * Stops every write on a server by `super_read_only`, and puts both variables back exactly as they
 * were. Raising takes the global read lock: it waits for running statements, and what comes back
 * after it is committed or refused. Not stopped: XA COMMIT of a prepared transaction, and the server's
 * own replication applier (see quiescence.ts).
 */
export class SuperReadOnlyFence implements Fence {
  readonly kind = 'super-read-only';
  readonly stops = 'every write';
  readonly #context: FenceContext;
  readonly #account: Endpoint;

  constructor(context: FenceContext) {
    this.#context = context;
    this.#account = context.account;
  }

  describe(): string {
    return describeFence(this.kind, []);
  }

  async read(signal?: AbortSignal): Promise<SuperReadOnlyState> {
    const state = await this.#read(signal);
    return { ...state, ...(state.readOnly && { foreign: alreadyReadOnly }) };
  }

  async raise(
    former: FenceState,
    { lockWaitMs, signal }: { lockWaitMs: number; signal: AbortSignal },
  ): Promise<void> {
    assertKind(former, this.kind);
    await runAwaited(this.#account, SET_ON, {
      withinMs: lockWaitMs,
      signal,
      isDone: async () => await this.isRaised(signal),
    });
  }

  async isRaised(signal?: AbortSignal): Promise<boolean> {
    return (await this.#read(signal)).superReadOnly;
  }

  async prove(signal?: AbortSignal): Promise<FenceProof> {
    if (!(await this.isRaised(signal))) throw couldWrite('super_read_only is not ON');
    const [schema = ''] = this.#context.schemas;
    const accounts = await Promise.all(
      this.#context.applicationAccounts.map(async ({ user, host, login }) => ({
        account: `${user}@${host}`,
        by:
          login === null
            ? 'super_read_only, which stops everybody; its secret is not known'
            : await proveByWrite(login, schema, signal),
      })),
    );
    return { kind: this.kind, accounts };
  }

  async persist(signal?: AbortSignal): Promise<void> {
    await withConnection(this.#account, bounded(signal), async (connection) => {
      await connection.query('SET PERSIST read_only = ON');
      await connection.query('SET PERSIST super_read_only = ON');
    });
  }

  async lower(former: FenceState): Promise<void> {
    assertKind(former, this.kind);
    await endWaitingStatements(this.#account);
    await withConnection(this.#account, bounded(), async (connection) => {
      const now = await readState(connection);
      for (const statement of loweringStatements(former, now)) await connection.query(statement);
      const after = await readState(connection);
      if (!sameState(after, former)) {
        throw new SkyferryFailure(
          'NOT_QUIESCENT',
          'the fence is lowered, but read_only and super_read_only are not as they were',
          { safe: 'nothing was switched', next: this.unfenceCommand(former) },
        );
      }
    });
  }

  /** Lifts a fence that was persisted, too. */
  unfenceCommand(former: FenceState): string {
    assertKind(former, this.kind);
    const fenced: SuperReadOnlyState = {
      kind: this.kind,
      readOnly: true,
      superReadOnly: true,
      persisted: { readOnly: 'ON', superReadOnly: 'ON' },
    };
    return asCommands(loweringStatements(former, fenced));
  }

  async #read(signal?: AbortSignal): Promise<SuperReadOnlyState> {
    return await withConnection(this.#account, bounded(signal), readState);
  }
}

/** Whose fence it is cannot be told: putting it "back" would leave the source without writes. */
const alreadyReadOnly: Foreign = {
  found: 'the source is read_only or super_read_only already, and not by this cutover',
  fix: 'find out who made it read-only; SET GLOBAL super_read_only = OFF, then SET GLOBAL read_only = OFF, and approve again',
};

function sameState(a: SuperReadOnlyState, b: SuperReadOnlyState): boolean {
  return (
    a.readOnly === b.readOnly &&
    a.superReadOnly === b.superReadOnly &&
    a.persisted.readOnly === b.persisted.readOnly &&
    a.persisted.superReadOnly === b.persisted.superReadOnly
  );
}

/** `super_read_only` goes first: it cannot be ON while `read_only` is OFF. */
function loweringStatements(former: SuperReadOnlyState, now: SuperReadOnlyState): string[] {
  return [
    ...restorePersisted(
      'super_read_only',
      former.persisted.superReadOnly,
      now.persisted.superReadOnly,
    ),
    ...restorePersisted('read_only', former.persisted.readOnly, now.persisted.readOnly),
    // Whatever SET PERSIST did to the running values, these come last.
    ...(former.superReadOnly
      ? ['SET GLOBAL super_read_only = ON']
      : ['SET GLOBAL super_read_only = OFF', `SET GLOBAL read_only = ${onOff(former.readOnly)}`]),
  ];
}

function restorePersisted(name: string, former: Persisted, now: Persisted): string[] {
  if (former === now) return [];
  return former === 'not persisted'
    ? [`RESET PERSIST IF EXISTS ${name}`]
    : [`SET PERSIST ${name} = ${former}`];
}

const onOff = (value: boolean): 'ON' | 'OFF' => (value ? 'ON' : 'OFF');

async function readState(connection: Connection): Promise<SuperReadOnlyState> {
  const [row] = await connection.query<{ r: number | string; s: number | string }>(
    'SELECT @@GLOBAL.read_only AS r, @@GLOBAL.super_read_only AS s',
  );
  const persisted = await connection.query<{ name: string; value: string }>(
    `SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.persisted_variables
      WHERE VARIABLE_NAME IN ('read_only', 'super_read_only')`,
  );
  const persistedValue = (name: string): Persisted => {
    const value = persisted.find((p) => p.name === name)?.value;
    return value === undefined ? 'not persisted' : onOff(/^(on|1|true)$/i.test(value));
  };
  return {
    kind: 'super-read-only',
    readOnly: Number(row?.r) === 1,
    superReadOnly: Number(row?.s) === 1,
    persisted: {
      readOnly: persistedValue('read_only'),
      superReadOnly: persistedValue('super_read_only'),
    },
  };
}
