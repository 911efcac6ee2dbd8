import { z } from 'zod';
import type { Abort, Approve, ByPerson, MessageName, SwitchEngine } from './messages.ts';
import { switchableEngines } from './messages.ts';

/** Long texts are cut, not refused: they only end up in a status. */
const text = (length: number) =>
  z.string({ error: 'must be a text' }).transform((value) => value.slice(0, length));
const by = text(128).refine((value) => value.trim() !== '', { error: 'must say who it is' });
const byPerson = z.object({ by, reason: text(500).optional() });

const approve = z.object({
  by,
  planHash: text(128).optional(),
  note: text(500).optional(),
});

const schemas = {
  'approve-preparation': approve,
  'approve-cutover': approve,
  'reject-cutover': byPerson,
  pause: byPerson,
  resume: byPerson,
  abort: byPerson.extend({
    dropTarget: text(64).optional(),
    deleteCreated: z.boolean().optional(),
  }),
  'retry-phase': byPerson,
  'switch-engine': byPerson.extend({
    engine: z.enum(switchableEngines, { error: `must be ${switchableEngines.join(' or ')}` }),
  }),
} as const satisfies Record<MessageName, z.ZodType>;

/** For whoever sends one from Temporal's UI or CLI. */
export const descriptions: Record<MessageName, string> = {
  'approve-preparation': 'let clouds be changed as the plan says: {"by": …, "planHash"?, "note"?}',
  'approve-cutover': 'let the cutover begin: {"by": …, "planHash"?, "note"?}',
  'reject-cutover': 'withdraw an approval, or refuse to give one: {"by": …, "reason"?}',
  pause: 'stop at a safe point; changes go on being applied: {"by": …, "reason"?}',
  resume: 'go on after a pause: {"by": …}',
  abort:
    'end it before the switch: {"by": …, "reason"?, "dropTarget"?: its name, "deleteCreated"?}',
  'retry-phase': 'take the parked phase up again: {"by": …}',
  'switch-engine': `take a parked migration up with another engine: {"by": …, "engine": "${switchableEngines.join('" or "')}"}`,
};

export interface Messages {
  'approve-preparation': Approve;
  'approve-cutover': Approve;
  'reject-cutover': ByPerson;
  pause: ByPerson;
  resume: ByPerson;
  abort: Abort;
  'retry-phase': ByPerson;
  'switch-engine': SwitchEngine;
}

export type ReadMessage<N extends MessageName> =
  | { readonly ok: true; readonly message: Messages[N] }
  | { readonly ok: false; readonly reason: string };

/** Messages come from anybody's command line: anything may be in them. Never throws. */
export function readMessage<N extends MessageName>(name: N, input: unknown): ReadMessage<N> {
  const result = schemas[name].safeParse(input ?? {});
  if (result.success) {
    return { ok: true, message: withoutUndefined(result.data) as Messages[N] };
  }
  const issues = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the input'} ${message}`,
  );
  const expected = {
    by: 'you',
    ...(name === 'switch-engine' && { engine: switchableEngines[0] }),
  };
  return {
    ok: false,
    reason: `malformed: ${issues.join('; ')}; expected --input '${JSON.stringify(expected)}'`,
  };
}

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
