import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../src/workflow-bundle.ts';

/** Shared by the files of one run of the suite; the next run makes it anew. */
const shared = fileURLToPath(new URL('../node_modules/.workflow-code.js', import.meta.url));

/** The workflows' bundle, made by the first file of a run that needs it: bundling takes seconds. */
export async function workflowCode(): Promise<string> {
  try {
    return await readFile(shared, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { code } = await bundleWorkflows();
  // Another file may be at it too, with the same outcome; nobody reads half of it.
  const temporary = `${shared}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, shared);
  return code;
}

/** Of an earlier run, perhaps of other code. */
export async function forgetWorkflowCode(): Promise<void> {
  await rm(shared, { force: true });
}
