import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Location } from './program.ts';
import { Unavailable } from './program.ts';

/** Debian's build looks for its files below /usr, and its libraries are not the machine's. */
export function unpackedMysqld(root: string): Location {
  const mysqld = join(root, 'usr/sbin/mysqld');
  if (!existsSync(mysqld)) throw new Unavailable(`${root} holds no usr/sbin/mysqld`);
  const share = join(root, 'usr/share/mysql');
  const lib = join(root, 'usr/lib/x86_64-linux-gnu');
  const libraries = [lib, join(lib, 'mysql/private'), join(root, 'usr/lib/mysql/private')];
  const command = [
    join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    '--library-path',
    libraries.join(':'),
    mysqld,
    '--no-defaults',
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
  ];
  return { where: mysqld, command: () => command };
}
