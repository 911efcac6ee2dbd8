import { resolveMysqld } from '../../src/sandbox/resolver/resolve.ts';
import { announcement, onFakes, readSettings } from './settings.ts';

/** Before any test: all that is missing, or what it will create and cost. */
export async function setup(): Promise<void> {
  if (onFakes) await resolveMysqld();
  else process.stdout.write(announcement(readSettings(process.env)));
}
