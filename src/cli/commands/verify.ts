import type { Command } from 'commander';
import { SkyferryFailure } from '../../failures.ts';
import { readCatalog } from '../../mysql/catalog/read.ts';
import { withConnection } from '../../mysql/connection.ts';
import { readLowerCaseTableNames } from '../../mysql/server-facts.ts';
import { verdictLines } from '../../observe/verdict-lines.ts';
import { compareTables } from '../../verify/compare-tables.ts';
import type { LocalOptions } from '../local-logins.ts';
import { localLogins, untilInterrupted, withLocalLogins } from '../local-logins.ts';
import { note, out, printJson } from '../output.ts';

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
    if (options.json === true) printJson({ status: verdict.equal ? 'ok' : 'error', data: verdict });
    else for (const line of verdictLines(verdict)) out(line);
    if (verdict.equal) return;
    throw new SkyferryFailure('ROWS_DIFFER', 'source and target differ', {
      safe: 'nothing was changed by the comparison',
      next: 'find out who writes to the target; nothing but the migration may',
    });
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
