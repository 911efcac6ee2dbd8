import { text } from '../mysql/catalog/text.ts';
import type { Catalog, ScheduledEvent } from '../mysql/catalog/types.ts';
import type { Connection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { displayName, quoteAccount, quoteIdentifier } from '../mysql/identifier.ts';
import { attempt, errnoOf } from './attempt.ts';
import type { DefinerOptions } from './create-program.ts';
import type { SchemaNote } from './job.ts';
import { disabled } from './program-header.ts';
import { inProgramSession } from './program-session.ts';
import { replaceProgram } from './replace-program.ts';
import { inTargetSession } from './target-session.ts';

/** MySQL refuses, or drops at once, an event whose last execution lies in the past. */
const IN_THE_PAST = [1543, 1544, 1588, 1589];

/** Creates all of them DISABLED, whatever they are on the source; see `enableEvents`. */
export async function createEvents(
  target: Endpoint,
  catalog: Catalog,
  options: DefinerOptions,
): Promise<SchemaNote[]> {
  return inTargetSession(target, options.signal, async (connection) => {
    const notes: SchemaNote[] = [];
    for (const event of catalog.events) {
      const existing = await findEvent(connection, event);
      if (existing?.status === 'ENABLED') continue;
      try {
        const statement = disabled(event.createStatement);
        notes.push(...(await replaceProgram(connection, 'event', event, options, statement)));
      } catch (error) {
        if (!IN_THE_PAST.includes(errnoOf(error) ?? 0)) throw error;
      }
      if ((await findEvent(connection, event)) === null) notes.push(expired(event));
    }
    return notes;
  });
}

/** Enables those that are enabled on the source, once the target is the one that takes writes. */
export async function enableEvents(
  target: Endpoint,
  catalog: Catalog,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SchemaNote[]> {
  return inTargetSession(target, options.signal, async (connection) => {
    const notes: SchemaNote[] = [];
    for (const event of catalog.events.filter(({ status }) => status === 'ENABLED')) {
      const found = await findEvent(connection, event);
      if (found === null) notes.push(expired(event));
      if (found === null || found.status === 'ENABLED') continue;
      try {
        await enable(connection, event, found.definer);
      } catch (error) {
        if (!IN_THE_PAST.includes(errnoOf(error) ?? 0)) throw error;
        notes.push(expired(event));
      }
    }
    return notes;
  });
}

/** ALTER EVENT makes the altering account the definer and stores the session anew, unless told otherwise. */
async function enable(
  connection: Connection,
  event: ScheduledEvent,
  definer: string,
): Promise<void> {
  const [row] = await connection.query<{ account: string }>('SELECT CURRENT_USER() AS account');
  const as = row?.account === definer ? 'CURRENT_USER' : quoteAccount(definer);
  await attempt(`enable event ${displayName(event.name)}`, () =>
    inProgramSession(connection, event, () =>
      connection.execute(`ALTER DEFINER=${as} EVENT ${quoteIdentifier(event.name.name)} ENABLE`),
    ),
  );
}

async function findEvent(
  connection: Connection,
  { name }: ScheduledEvent,
): Promise<{ status: string; definer: string } | null> {
  // The schema as the target spells it; event names know no case.
  await connection.execute(`USE ${quoteIdentifier(name.schema)}`);
  const [row] = await connection.query(
    'SELECT STATUS AS status, DEFINER AS definer FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() AND EVENT_NAME = ?',
    [name.name],
  );
  return row === undefined ? null : { status: text(row['status']), definer: text(row['definer']) };
}

function expired(event: ScheduledEvent): SchemaNote {
  return {
    kind: 'event',
    name: event.name,
    code: 'EVENT_EXPIRED',
    text: 'not carried over: its last execution lies in the past',
  };
}
