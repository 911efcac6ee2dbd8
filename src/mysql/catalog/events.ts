import type { Connection } from '../connection.ts';
import { displayName, qualify } from '../identifier.ts';
import { shownProgram } from './shown-program.ts';
import { byKey, text } from './text.ts';
import type { ScheduledEvent } from './types.ts';

export async function readEvents(
  connection: Connection,
  schemas: readonly string[],
): Promise<ScheduledEvent[]> {
  const rows = await connection.query(
    `SELECT EVENT_SCHEMA AS eventSchema, EVENT_NAME AS eventName, DEFINER AS definer, STATUS AS status,
            TIME_ZONE AS timeZone
       FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  const events: ScheduledEvent[] = [];
  for (const row of rows) {
    const name = { schema: text(row['eventSchema']), name: text(row['eventName']) };
    const [shown] = await connection.query(`SHOW CREATE EVENT ${qualify(name)}`);
    events.push({
      name,
      definer: text(row['definer']),
      status: text(row['status']) as ScheduledEvent['status'],
      timeZone: text(row['timeZone']),
      ...shownProgram(displayName(name), shown, shown?.['Create Event']),
    });
  }
  return events.sort(byKey((event) => `${event.name.schema}\0${event.name.name}`));
}
