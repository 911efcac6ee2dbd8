import { setTimeout as sleep } from 'node:timers/promises';
import { requireCheckpoint } from '../checkpoint/store.ts';
import { withConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { FilePosition } from '../mysql/position.ts';
import { compareFilePositions } from '../mysql/position.ts';

export async function awaitApplied(
  target: Endpoint,
  migration: string,
  position: FilePosition,
  { signal }: { signal: AbortSignal; onProgress(): void },
): Promise<void> {
  await withConnection(target, { signal }, async (connection) => {
    for (;;) {
      const checkpoint = await requireCheckpoint(connection, migration);
      if (checkpoint.position && compareFilePositions(checkpoint.position, position) >= 0) return;
      await sleep(10, undefined, { signal });
    }
  });
}
