import { setTimeout as delay } from 'node:timers/promises';
import type { FlexibleServer, ServerView } from '../../clouds/azure/flexible-server.ts';
import type { Operation, Waiting } from '../../clouds/azure/operations.ts';
import { describe } from '../../clouds/azure/operations.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import type { Act, BegunAct, CompletedAct } from '../act.ts';
import { isStopped } from './target.ts';

/** What is so, and the one operation that comes next. */
export type Look =
  | { readonly is: 'as-wanted'; readonly note: string; readonly server?: ServerView }
  /** Something is under way: by an earlier try of ours, or by somebody else. */
  | { readonly is: 'busy'; readonly what: string }
  | {
      readonly is: 'to-do';
      /** Tells this step from the next one of the same act. */
      readonly step: string;
      operation(): Promise<Operation> | Operation;
    };

export interface Goal {
  readonly server: FlexibleServer;
  look(signal: AbortSignal): Promise<Look>;
  /** Once it is so: proof by another way, and what is known from now on. */
  prove?(server: ServerView, waiting: Waiting): Promise<string>;
  address?(server: ServerView): CompletedAct['address'];
}

/** Azure may go on showing the old values for a moment after an operation has ended. */
const LOOKS_AFTER_THE_END = 5;
/** Where nothing is known of the operation but that it was begun. */
const LOOKS_WITHOUT_KNOWING = 900;
const LOOK_AGAIN_MS = 1_000;

/**
 * An act that looks before it sends anything, each time: begun twice, killed between sending and
 * saving, or resent by the SDK, it finds what it made and only waits for it.
 */
export function convergingAct(goal: Goal): Act {
  return {
    begin: (signal) => begin(goal, signal),
    complete: (begun, waiting) => complete(goal, begun, waiting),
  };
}

async function begin(goal: Goal, signal: AbortSignal): Promise<BegunAct> {
  const look = await goal.look(signal);
  if (look.is === 'as-wanted') return { token: null };
  if (look.is === 'busy') return begunBySomebody;
  try {
    return begunAct(look.step, await goal.server.begin(await look.operation(), signal));
  } catch (error) {
    // Sent, and its answer lost: what the SDK sent again was refused, because of us.
    if (isFailure(error) && (await isUnderWay(goal, signal))) return begunBySomebody;
    throw error;
  }
}

const begunBySomebody: BegunAct = {
  token: JSON.stringify({ step: null, operation: null }),
};

function begunAct(step: string, operation: string | null): BegunAct {
  return { token: JSON.stringify({ step, operation }) };
}

async function isUnderWay(goal: Goal, signal: AbortSignal): Promise<boolean> {
  try {
    return (await goal.look(signal)).is !== 'to-do';
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) return false;
    throw error;
  }
}

async function complete(goal: Goal, begun: BegunAct, waiting: Waiting): Promise<CompletedAct> {
  const { step, operation } = parse(begun.token);
  const known = operation === null ? 'ended' : await goal.server.finish(operation, waiting);
  let patience = known === 'ended' ? LOOKS_AFTER_THE_END : LOOKS_WITHOUT_KNOWING;
  let sent = step;
  let looks = 0;
  for (;;) {
    const look = await goal.look(waiting.signal);
    if (look.is === 'as-wanted') return await completed(goal, look, waiting);
    if (look.is === 'busy') waiting.onProgress(look.what);
    else if (look.step !== sent) {
      const next = await look.operation();
      waiting.onProgress(describe(next));
      await goal.server.run(next, waiting);
      sent = look.step;
      looks = 0;
      patience = LOOKS_AFTER_THE_END;
      continue;
    } else if (++looks > patience) throw notAsAsked(look.step, patience);
    await delay(LOOK_AGAIN_MS, undefined, { signal: waiting.signal });
  }
}

async function completed(
  goal: Goal,
  { note, server }: { note: string; server?: ServerView },
  waiting: Waiting,
): Promise<CompletedAct> {
  if (server === undefined) return { note };
  const proof = await goal.prove?.(server, waiting);
  const address = goal.address?.(server);
  return {
    note: proof === undefined ? note : `${note}; ${proof}`,
    ...(address !== undefined && { address }),
  };
}

function parse(token: string | null): { step: string | null; operation: string | null } {
  if (token === null) return { step: null, operation: null };
  return JSON.parse(token) as { step: string | null; operation: string | null };
}

function notAsAsked(step: string, patience: number): SkyferryFailure {
  const said =
    patience === LOOKS_AFTER_THE_END ? 'says that it is done' : 'no longer says how it went';
  return new SkyferryFailure('CLOUD_FAILED', `Azure ${said}, and it is not so: ${step}`, {
    next: 'look at the server’s activity log in Azure, then retry',
  });
}

/** Null when the server can be changed now. Throws when waiting would not make it so. */
export function busyServer(server: ServerView): Look | null {
  if (server.state === 'Ready') return null;
  if (isStopped(server.state)) {
    throw new SkyferryFailure('CLOUD_FAILED', `the Azure server is ${server.state}`, {
      next: 'start it (az mysql flexible-server start), or choose another one, then retry',
    });
  }
  return { is: 'busy', what: `the server is ${server.state}` };
}

/** For what can only be done to a server that is there. */
export async function mustFind(server: FlexibleServer, signal: AbortSignal): Promise<ServerView> {
  const found = await server.find(signal);
  if (found !== null) return found;
  throw new SkyferryFailure('CLOUD_FAILED', 'the Azure server is not there any more', {
    next: 'look at the resource group’s activity log; skyferry abort, then begin anew',
  });
}
