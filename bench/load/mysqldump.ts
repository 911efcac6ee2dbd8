import type { Bench } from '../bench.ts';
import { SCHEMA } from '../data.ts';
import { must } from '../must.ts';

const pipe = 'set -o pipefail; n=$1; shift; "${@:1:n}" | "${@:n+1}"';

/** One stream, its text never touches a disk. */
export async function mysqldump({ programs, source, target, signal }: Bench): Promise<void> {
  const dump = [
    ...withFile(programs.mysqldump, source.clientFile),
    '--single-transaction',
    '--set-gtid-purged=OFF',
    '--databases',
    SCHEMA,
  ];
  const load = withFile(programs.mysql, target.clientFile);
  await must(['bash', '-c', pipe, 'pipe', String(dump.length), ...dump, ...load], { signal });
}

/** `--defaults-file` must come first. */
function withFile(program: readonly string[], file: string): string[] {
  return [...program, `--defaults-file=${file}`];
}
