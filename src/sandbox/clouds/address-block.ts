import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SkyferryFailure } from '../../failures.ts';

/** Loopback addresses of one sandbox's servers: `<prefix>.11` and on. */
export interface AddressBlock {
  /** Three numbers, e.g. `127.45.67`. */
  readonly prefix: string;
  readonly port: number;
}

const ATTEMPTS = 20;

/**
 * A block of the loopback where the port is free: sandboxes run beside each other, each with all of
 * its servers on the port that the clouds use.
 */
export async function chooseAddressBlock(port: number): Promise<AddressBlock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const prefix = `127.${randomInt(16, 255)}.${randomInt(0, 255)}`;
    if (await isFree(`${prefix}.11`, port)) return { prefix, port };
  }
  throw new SkyferryFailure(
    'PROGRAM_MISSING',
    `port ${port} is taken on the loopback's addresses by another program`,
    { next: 'stop the program that listens on every address, or bind it to 127.0.0.1' },
  );
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
