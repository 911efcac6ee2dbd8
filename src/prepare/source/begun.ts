import type { BegunAct } from '../act.ts';

/** Sent, or found to be under way. The token says what is waited for. */
export function begun(token: string): BegunAct {
  return { token };
}

export const alreadySo: BegunAct = { token: null };
