import { isFailure, SkyferryFailure } from '../failures.ts';
import { withConnection } from '../mysql/connection.ts';
import type { RowsEvidence } from '../observe/report/evidence.ts';
import { readNamedRows } from '../verify/named-rows.ts';
import type { LocalOptions } from './local-logins.ts';
import { localLogins, untilInterrupted } from './local-logins.ts';

/** Asks the target, the only place that knows the keys; a report without them is still a report. */
export async function nameRows(migration: string, options: LocalOptions): Promise<RowsEvidence> {
  try {
    const { config, logins } = await localLogins(options);
    if (config.name !== migration) {
      throw new SkyferryFailure('CONFIG_INVALID', `${options.config} is of another migration`);
    }
    const rows = await untilInterrupted((signal) =>
      withConnection(logins.target, { signal }, (target) => readNamedRows(target, migration)),
    );
    return rows === null
      ? unnamed('the target holds no comparison of this migration', SEE_BY_VERIFY)
      : { named: true, ...rows };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return unnamed(
      error.message,
      'They are in the checkpoint on the target: give this command the configuration and the secrets (-c FILE --secrets DIR) where the target can be reached, or ask the target itself: ' +
        `SELECT JSON_PRETTY(remembered->'$.verification') FROM skyferry.migration WHERE name = '${migration}'`,
    );
  }
}

const SEE_BY_VERIFY = 'skyferry verify compares again and names them';

function unnamed(why: string, how: string): RowsEvidence {
  return { named: false, why, how };
}
