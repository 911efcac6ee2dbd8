import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, terminate } from '../process/identity.ts';
import { STOP_GRACE_MS } from './mysql-server.ts';

/** A server on this folder that the folder's own record does not name, after a crash: it is in the way. */
export async function endLeftover(folder: string): Promise<void> {
  const pid = Number(await readFile(join(folder, 'mysqld.pid'), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!command.split('\0').includes(`--datadir=${join(folder, 'data')}`)) return;
  const identity = identify(pid);
  if (identity !== null) await terminate(identity, STOP_GRACE_MS);
}
