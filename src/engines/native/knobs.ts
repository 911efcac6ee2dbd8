import type { Connection } from '../../mysql/connection.ts';
import type { Grants } from '../../mysql/grants.ts';

/** The target's own values, or those that were set. */
export interface Knobs {
  readonly workers: number;
  readonly commitOrderKept: boolean;
}

const WORKERS = 'replica_parallel_workers';
const COMMIT_ORDER = 'replica_preserve_commit_order';

/** Before 8.0.26 they have other names: null. */
export async function readKnobs(target: Connection): Promise<Knobs | null> {
  const values = await readValues(target);
  const workers = values.get(WORKERS);
  if (workers === undefined) return null;
  return { workers: Number(workers), commitOrderKept: values.get(COMMIT_ORDER) === 'ON' };
}

export interface DueKnob {
  readonly name: string;
  readonly value: string;
  readonly former: string;
}

/** What is not as it should be and may be set by this account. */
export async function dueKnobs(
  target: Connection,
  grants: Pick<Grants, 'global'>,
  workers: number,
): Promise<DueKnob[]> {
  if (!grants.global('SYSTEM_VARIABLES_ADMIN') && !grants.global('SUPER')) return [];
  const values = await readValues(target);
  const wanted = { [COMMIT_ORDER]: 'ON', [WORKERS]: String(workers) };
  return Object.entries(wanted).flatMap(([name, value]) => {
    const former = values.get(name);
    return former === undefined || former === value ? [] : [{ name, value, former }];
  });
}

/** With replication stopped. */
export async function setKnobs(target: Connection, due: readonly DueKnob[]): Promise<void> {
  for (const { name, value } of due) await target.execute(`SET GLOBAL ${name} = ${value}`);
}

export async function restoreKnobs(
  target: Connection,
  formers: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(formers)) {
    if (/^[a-z_]+$/.test(name) && /^\w+$/.test(value)) {
      await target.execute(`SET GLOBAL ${name} = ${value}`);
    }
  }
}

async function readValues(target: Connection): Promise<Map<string, string>> {
  const rows = await target.query<{ Variable_name: string; Value: string }>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('${WORKERS}', '${COMMIT_ORDER}')`,
  );
  return new Map(rows.map((row) => [row.Variable_name, row.Value]));
}
