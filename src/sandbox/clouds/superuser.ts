import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SkyferryFailure } from '../../failures.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';

const fleetSchema = z.object({
  servers: z.record(
    z.string(),
    z.object({ address: z.string(), superuser: z.string(), password: z.string() }),
  ),
});

/** The login that no customer of a cloud gets: for seeding, and for the last look from outside. */
export async function superuserOf(
  { folder, port }: { readonly folder: string; readonly port: number },
  id: string,
): Promise<Endpoint> {
  const [state, ca] = await Promise.all([
    readFile(join(folder, 'state', 'servers.json'), 'utf8'),
    readFile(join(folder, 'authority', 'ca.pem'), 'utf8'),
  ]);
  const server = fleetSchema.parse(JSON.parse(state)).servers[id];
  if (server === undefined) {
    throw new SkyferryFailure('INTERNAL', `the sandbox's clouds have no server ${id}`);
  }
  const { address: host, superuser: user, password } = server;
  return { host, port, user, password, tls: { mode: 'verify-ca', ca } };
}
