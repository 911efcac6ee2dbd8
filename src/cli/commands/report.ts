import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApplicationEvidence, ReportEvidence } from '../../observe/report/evidence.ts';
import { rowsDiffer } from '../../observe/report/evidence.ts';
import { reportHtml } from '../../observe/report/html.ts';
import { reportText } from '../../observe/report/text.ts';
import { migrationName } from '../config-option.ts';
import type { LocalOptions } from '../local-logins.ts';
import { withLocalLogins } from '../local-logins.ts';
import { nameRows } from '../name-rows.ts';
import { note, out } from '../output.ts';
import { askForReport, connectTemporal, describeMigration } from '../temporal.ts';

interface ReportOptions extends LocalOptions {
  format: 'text' | 'json' | 'html';
  output?: string;
  ledger?: string;
}

export function registerReport(program: Command): void {
  withLocalLogins(program.command('report').description('Everything that happened, measured'))
    .argument('[migration]', 'its name; by default that of the configuration file')
    .addOption(
      new Option('-f, --format <format>').choices(['text', 'json', 'html']).default('text'),
    )
    .option('-o, --output <file>', 'write it there instead of to stdout')
    .option(
      '--ledger <verdict.json>',
      "what the application's ledger says, as verifyLedger gives it",
    )
    .action(async (named: string | undefined, _options: object, command: Command) => {
      const options = command.optsWithGlobals<ReportOptions>();
      const name = await migrationName(named, options);
      await using session = await connectTemporal();
      const report = await askForReport(session, name, await describeMigration(session, name));
      const text = await renderReport(
        {
          report,
          ...(rowsDiffer(report) && { rows: await nameRows(name, options) }),
          ...(options.ledger !== undefined && { application: await readLedger(options.ledger) }),
          generatedAt: new Date().toISOString(),
        },
        options.json === true ? 'json' : options.format,
      );
      if (options.output === undefined) {
        out(text);
      } else {
        await writeFile(options.output, `${text}\n`);
        note(`written to ${options.output}`);
      }
    });
}

export async function renderReport(
  evidence: ReportEvidence,
  format: ReportOptions['format'],
): Promise<string> {
  switch (format) {
    case 'text':
      return reportText(evidence);
    case 'json':
      return JSON.stringify(
        { format_version: 1, status: 'ok', data: evidence, issues: [], next_steps: [] },
        null,
        2,
      );
    case 'html':
      return reportHtml(evidence);
  }
}

async function readLedger(file: string): Promise<ApplicationEvidence> {
  return JSON.parse(await readFile(file, 'utf8')) as ApplicationEvidence;
}
