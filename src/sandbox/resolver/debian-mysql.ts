import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import { debianSite, unpackDebianPackages } from './debian-packages.ts';
import type { Location, Provider } from './program.ts';
import { unpackedMysqld } from './unpacked-mysql.ts';

const ENTRY = 'mysql-debian-sid';

/** What an earlier run of the provider left in the cache. */
export function cachedDebianMysql(cache: string): Location[] {
  const root = join(cache, ENTRY, 'root');
  return existsSync(root) ? [unpackedMysqld(root)] : [];
}

/** Debian's own packages of the current MySQL, unpacked into the cache. */
export const debianMysqlProvider: Provider = {
  name: 'debian-packages',
  check: async (context) => {
    await debianSite(context);
    return "would unpack Debian's mysql-server-core into the cache (60 MB to download, 20 s)";
  },
  provide: async (context) => {
    const { cache, signal, progress } = context;
    const onWait = (pid: number) => progress(`  process ${pid} is getting MySQL; waiting for it…`);
    const make = async (staging: string) => {
      const started = Date.now();
      progress("MySQL: unpacking Debian's packages into the cache (once)");
      const [root, work] = [join(staging, 'root'), join(staging, 'work')];
      const names = ['mysql-server-core', 'mysql-client-core'];
      const unpacked = await unpackDebianPackages(names, root, work, context);
      await writeFile(join(staging, 'packages.json'), JSON.stringify(unpacked, null, 2));
      await rm(work, { recursive: true });
      progress(`  MySQL is there after ${Math.round((Date.now() - started) / 1000)} s`);
    };
    const entry = await cached(cache, ENTRY, make, { signal, onWait });
    return unpackedMysqld(join(entry, 'root'));
  },
};
