import { compareTables } from '../../src/verify/compare-tables.ts';
import { readExecuted } from '../../src/mysql/watermark.ts';
import type { Bench } from '../bench.ts';
import { COLUMNS, expectSameRows, restoreRows, SCHEMA, TABLES } from '../data.ts';
import { forgetMigration, openJob, startMigration, verification } from '../migration.ts';
import type { Phase } from '../phase.ts';
import { settle } from '../servers.ts';

/** Two servers with the same rows, nobody writes. Every way looks at both sides at once. */
export async function verifyPhase(bench: Bench): Promise<Phase> {
  const { source, target, folder, signal, options } = bench;
  await forgetMigration(bench);
  for (const server of [source, target]) {
    await restoreRows(server, folder, signal);
    await settle(server, signal);
  }
  await startMigration(bench, await readExecuted(source.admin));
  await expectSameRows(source.admin, target.admin);
  const job = await openJob(bench);
  const ways: [string, () => Promise<void>][] = [
    [
      'Skyferry',
      async () => {
        const { chunkRows, parallel } = verification;
        const verdict = await compareTables(
          { ...job, chunkRows, parallel },
          { signal, onProgress: () => {} },
        );
        if (!verdict.equal || verdict.rows !== options.rows * TABLES.length) {
          throw new Error('the comparison saw a difference or too few rows');
        }
      },
    ],
    ['CHECKSUM TABLE', () => onBothSides(bench, (table) => `CHECKSUM TABLE ${SCHEMA}.${table}`)],
    ['BIT_XOR(CRC32(…))', () => onBothSides(bench, digest)],
  ];
  const nothing = async (): Promise<void> => {};
  return {
    name: 'verify',
    unit: 'rows',
    amount: options.rows * TABLES.length,
    contenders: ways.map(([name, run]) => ({ name, run, prepare: nothing, check: nothing })),
  };
}

/** One session a side, table by table: two cores have no more to give. */
async function onBothSides(
  { source, target }: Bench,
  statement: (table: string) => string,
): Promise<void> {
  const [left, right] = await Promise.all(
    [source, target].map(async ({ admin }) => {
      const results = [];
      for (const table of TABLES) results.push(await admin.query(statement(table)));
      return JSON.stringify(results);
    }),
  );
  if (left !== right) throw new Error('the digests of the sides differ');
}

function digest(table: string): string {
  const values = COLUMNS.join(', ');
  return `SELECT COUNT(*), BIT_XOR(CRC32(CONCAT_WS('#', ${values}, ISNULL(note)))) FROM ${SCHEMA}.${table}`;
}
