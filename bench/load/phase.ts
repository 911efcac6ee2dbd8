import type { Bench } from '../bench.ts';
import { expectSameRows, SCHEMA, TABLES } from '../data.ts';
import { forgetMigration } from '../migration.ts';
import type { Phase } from '../phase.ts';
import { settle } from '../servers.ts';
import { loadDataInfile } from './load-data-infile.ts';
import { mydumper } from './mydumper.ts';
import { mysqldump } from './mysqldump.ts';
import { skyferryLoad } from './skyferry.ts';

/** From an empty target to all rows with all indexes. */
export function loadPhase(bench: Bench): Phase {
  const ways: [string, () => Promise<void>][] = [
    ['Skyferry', () => skyferryLoad(bench)],
    [`mydumper ${bench.programs.mydumperVersion} + myloader`, () => mydumper(bench)],
    ['mysqldump | mysql', () => mysqldump(bench)],
    ['bare LOAD DATA INFILE', () => loadDataInfile(bench)],
  ];
  return {
    name: 'load',
    unit: 'rows',
    amount: bench.options.rows * TABLES.length,
    contenders: ways.map(([name, run]) => ({
      name,
      run,
      prepare: () => emptyTarget(bench),
      check: () => expectSameRows(bench.source.admin, bench.target.admin),
    })),
  };
}

async function emptyTarget(bench: Bench): Promise<void> {
  const { admin } = bench.target;
  await forgetMigration(bench);
  await admin.query(`DROP DATABASE IF EXISTS ${SCHEMA}`);
  await admin.query('RESET BINARY LOGS AND GTIDS');
  await settle(bench.target, bench.signal);
}
