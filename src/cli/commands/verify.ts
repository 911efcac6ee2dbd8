import type { Command } from 'commander';
import { SkyferryFailure } from '../../failures.ts';
import { readCatalog } from '../../mysql/catalog/read.ts';
import { withConnection } from '../../mysql/connection.ts';
import { readLowerCaseTableNames } from '../../mysql/server-facts.ts';
import { verdictLines } from '../../observe/verdict-lines.ts';
import { compareTables } from '../../verify/compare-tables.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import type { LocalOptions } from '../local-logins.ts';
import { localLogins, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { errorEnvelope, note, out, printError, printJson } from '../output.ts';

export function registerVerify(program: Command): void {
  withLocalLogins(
    program
      .command('verify')
      .description('Compare every row of source and target, also under writes, before the switch'),
  ).action(async (_options: object, command: Command) => {
    const options = command.optsWithGlobals<LocalOptions>();
    const { config, logins } = await localLogins(options);
    const verdict = await untilInterrupted(async (signal) => {
      const [catalog, lctn] = await Promise.all([
        withConnection(logins.source, { signal }, (c) => readCatalog(c, config.schemas)),
        withConnection(logins.target, { signal }, readLowerCaseTableNames),
      ]);
      return await compareTables(
        { ...logins, ...config.verification, catalog, migration: config.name, lctn },
        { signal, onProgress: onProgress() },
      );
    });
    const failure = verdict.equal
      ? undefined
      : new SkyferryFailure('ROWS_DIFFER', 'source and target differ', {
          safe: 'nothing was changed by the comparison',
          next: 'find out who writes to the target; nothing but the migration may',
        });
    if (options.json === true) {
      printJson(
        failure === undefined
          ? { status: 'ok', data: verdict }
          : { ...errorEnvelope(failure), data: verdict },
      );
    } else {
      for (const line of verdictLines(verdict)) out(line);
      if (failure !== undefined) printError(failure, false);
    }
    process.exitCode = failure === undefined ? exitCodes.ok : exitCodeOf(failure);
  });
}

function onProgress(): (progress: { tablesDone: number; tables: number; rows: number }) => void {
  let told = -1;
  return ({ tablesDone, tables, rows }) => {
    if (tablesDone === told) return;
    told = tablesDone;
    note(`… ${tablesDone} of ${tables} tables, ${rows} rows`);
  };
}
