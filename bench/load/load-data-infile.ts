import type { Bench } from '../bench.ts';
import { createBareTables, loadFromFile, TABLES } from '../data.ts';
import { runStreams } from '../servers.ts';

const STREAMS = 2;

/**
 * The limit: the rows lie on the target's own disk as text already, so nothing is read from the
 * source, sent or encrypted. Indexes are built afterwards.
 */
export async function loadDataInfile({ target, folder, signal }: Bench): Promise<void> {
  await createBareTables(target.admin);
  const streams = Array.from({ length: STREAMS }, (_, stream) =>
    TABLES.filter((_table, index) => index % STREAMS === stream).flatMap((table) =>
      loadFromFile(table, folder),
    ),
  );
  await runStreams(target.endpoint, streams, signal);
}
