import { writeFile } from 'node:fs/promises';
import { useNameServers } from '../../mysql/name-resolution.ts';
import { readWriterOptions } from './options.ts';
import { runWriter } from './run-writer.ts';

/**
 * The application as a process of its own: `node main.js OPTIONS.json`. Progress and the summary are
 * JSON lines on stdout; SIGTERM and SIGINT stop it after what is in flight. The summary is also
 * written beside the ledger file, with `.summary.json` appended to its name.
 */
async function main([optionsFile]: readonly string[]): Promise<void> {
  if (optionsFile === undefined) throw new Error('usage: main.js OPTIONS.json');
  useNameServers(process.env['SKYFERRY_DNS_SERVERS']);
  const options = await readWriterOptions(optionsFile);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const summary = await runWriter(options, {
    signal: stop.signal,
    onProgress: (progress) => print({ type: 'progress', ...progress }),
  });
  print({ type: 'summary', ...summary });
  await writeFile(`${options.ledgerFile}.summary.json`, `${JSON.stringify(summary, null, 2)}\n`);
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
}
