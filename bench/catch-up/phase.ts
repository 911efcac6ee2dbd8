import { readBinlogEnd, readExecuted } from '../../src/mysql/watermark.ts';
import type { Bench } from '../bench.ts';
import { expectSameRows, restoreRows } from '../data.ts';
import { forgetMigration } from '../migration.ts';
import type { Phase } from '../phase.ts';
import { settle } from '../servers.ts';
import type { Changes } from './change-rows.ts';
import { changeRows } from './change-rows.ts';
import { nativeReplication } from './native.ts';
import { skyferryCatchUp } from './skyferry.ts';

/** A binlog that is there already is applied to a target that stands at its beginning. */
export async function catchUpPhase(bench: Bench): Promise<Phase> {
  const { source, target, folder, signal } = bench;
  await restoreRows(source, folder, signal);
  const from = await readExecuted(source.admin);
  const amount = await changeRows(bench);
  const { gtidSet } = await readExecuted(source.admin);
  const changes: Changes = { from, to: await readBinlogEnd(source.admin), gtidSet };
  const prepare = async (): Promise<void> => {
    await forgetMigration(bench);
    await restoreRows(target, folder, signal);
    await target.admin.query('RESET BINARY LOGS AND GTIDS');
    if (from.gtidSet !== '') await target.admin.query('SET GLOBAL gtid_purged = ?', [from.gtidSet]);
    await settle(target, signal);
  };
  const check = () => expectSameRows(source.admin, target.admin);
  return {
    name: 'catch-up',
    unit: 'row changes',
    amount,
    contenders: [
      { name: 'Skyferry', prepare, run: () => skyferryCatchUp(bench, changes), check },
      ...[1, 4].map((workers) => nativeReplication(bench, changes, { workers, prepare, check })),
    ],
  };
}
