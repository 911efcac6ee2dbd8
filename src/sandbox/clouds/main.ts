import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { openClouds } from './open.ts';

const optionsSchema = z.strictObject({
  folder: z.string(),
  life: z.enum(['bound', 'detached']),
  /** Written once everything answers: `{url, caFile, env}`; removed first. */
  readyFile: z.string(),
});

/** The fake clouds as a process of their own: `node main.js <options.json>`. TERM ends it in order. */
async function main(): Promise<void> {
  const [, , file] = process.argv;
  if (file === undefined) throw new Error('the path of a file with options is missing');
  const options = optionsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  await rm(options.readyFile, { force: true });
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const clouds = await openClouds({
    folder: options.folder,
    life: options.life,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const { url, caFile, env } = clouds;
  const staging = `${options.readyFile}.new`;
  await writeFile(staging, JSON.stringify({ url, caFile, env }), { mode: 0o600 });
  await rename(staging, options.readyFile);
  await ended;
  await rm(options.readyFile, { force: true });
  await clouds.close();
}

await main();
